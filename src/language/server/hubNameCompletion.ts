import { CompletionItemKind, InsertTextFormat } from 'vscode-languageserver';
import type { CompletionItem } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { markdownCode, markdownText } from '../../base/markdown.ts';
import type { CachedName } from '../../experiment/cachedName.ts';
import { formatBytes } from '../../experiment/format.ts';
import { HUB_PREFIX, parseHubText } from '../../experiment/hubReference.ts';
import { PROTOCOL_NAMES, protocolOf } from '../../experiment/protocols.ts';
import { tokenBehind } from '../syntax/tokens.ts';
import { rangeOf } from './positions.ts';

export interface HubNamePlace {
  readonly of: 'model' | 'corpus';
  /** What stands between the quote and the cursor. */
  readonly prefix: string;
  readonly cached: readonly CachedName[];
}

/**
 * Names on the hub between quotes: what the cache holds, what was used last first, and of texts those of the protocols. All that stands
 * between the quotes is replaced, and the second quote with it, or put where there is none: the cursor goes behind it.
 */
export function completeHubName(
  source: TextDocument,
  offset: number,
  { of, prefix, cached }: HubNamePlace,
): CompletionItem[] {
  // What is no name on the hub is a path.
  if (!prefix.startsWith(HUB_PREFIX) && !/^[\w-]*$/.test(prefix)) return [];
  const start = offset - prefix.length;
  const range = rangeOf(source, { start, end: endOfName(source.getText(), start, offset) });
  const offers = of === 'model' ? modelOffers(cached) : textOffers(cached);
  return offers.map(({ reference, size, detail, documentation }, order) => ({
    ...labelsOf(of, reference, size),
    filterText: reference,
    kind: CompletionItemKind.Constant,
    detail,
    ...(documentation !== undefined && { documentation: { kind: 'markdown', value: documentation } }),
    sortText: String(order).padStart(4, '0'),
    textEdit: { range, newText: `${reference}"` },
    insertTextFormat: InsertTextFormat.PlainText,
  }));
}

/** Lists are narrow, and texts of one data set differ at the end of their names: that stands first. What is not here has an arrow. */
function labelsOf(
  of: HubNamePlace['of'],
  reference: string,
  size: string | undefined,
): Pick<CompletionItem, 'label' | 'labelDetails'> {
  const parsed = of === 'corpus' ? parseHubText(reference) : undefined;
  if (!parsed || 'problem' in parsed) return { label: reference, labelDetails: { description: size ?? '↓' } };
  const { id } = parsed.reference;
  const label = reference.slice(HUB_PREFIX.length + id.length + 1);
  return { label, labelDetails: { description: size === undefined ? `↓ ${id}` : id } };
}

/** Behind the second quote; at the cursor where that is the one of another text, or is not there. */
function endOfName(text: string, start: number, offset: number): number {
  const token = tokenBehind(text, start - 1);
  const isClosed = token.kind === 'string' && /^[^\s(){},=]*$/.test(text.slice(offset, token.end - 1));
  return isClosed ? token.end : offset;
}

interface Offer {
  readonly reference: string;
  /** Of what is on this machine. */
  readonly size?: string;
  readonly detail: string;
  /** Markdown. */
  readonly documentation?: string;
}

function modelOffers(cached: readonly CachedName[]): readonly Offer[] {
  return cached.filter(({ kind }) => kind === 'model').map((name) => ({ ...factsOf(name), reference: name.reference }));
}

function textOffers(cached: readonly CachedName[]): readonly Offer[] {
  const known = protocolTexts();
  const here = cached.filter(({ kind }) => kind === 'dataset');
  const others = [...known.keys()].filter((reference) => !here.some((name) => name.reference === reference));
  return [
    ...here.map((name) => ({ ...factsOf(name), ...documented(known.get(name.reference)), reference: name.reference })),
    ...others.map((reference) => ({
      reference,
      detail: 'not on this machine yet',
      ...documented(known.get(reference)),
    })),
  ];
}

/** Later ones are no dates; a damaged disk may say anything. */
const LAST_TIME = 8.64e15;

function factsOf({ bytes, used, isComplete }: CachedName): Pick<Offer, 'size' | 'detail' | 'documentation'> {
  const size = formatBytes(bytes);
  const isDated = used > 0 && used < LAST_TIME;
  return {
    size: isComplete ? size : 'incomplete',
    detail: isDated ? `${size} · last used ${new Date(used).toISOString().slice(0, 10)}` : size,
    ...(!isComplete && { documentation: 'A part of it: the rest would be downloaded.' }),
  };
}

interface KnownText {
  readonly what: string;
  /** As `wanda: evaluate`. */
  readonly uses: readonly string[];
}

function documented(known: KnownText | undefined): Pick<Offer, 'documentation'> {
  if (known === undefined) return {};
  return {
    documentation: `${markdownText(known.what)}, in the protocols\n\n${known.uses.map((use) => `- ${use}`).join('\n')}`,
  };
}

const PROPERTIES = { text: 'evaluate', calibration: 'calibrate', gradients: 'gradients' } as const;

/** Texts that protocols name, by their places on the hub. */
function protocolTexts(): ReadonlyMap<string, KnownText> {
  const known = new Map<string, KnownText>();
  for (const name of PROTOCOL_NAMES) {
    for (const [text, { what, from }] of Object.entries(protocolOf(name).texts)) {
      if (from === undefined) continue;
      const use = `${markdownCode(name)}: ${markdownCode(PROPERTIES[text as keyof typeof PROPERTIES])}`;
      known.set(from, { what, uses: [...(known.get(from)?.uses ?? []), use] });
    }
  }
  return known;
}
