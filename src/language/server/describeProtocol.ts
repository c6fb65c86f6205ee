import { markdownBlock, markdownCode, markdownText } from '../../base/markdown.ts';
import { deviationsOf, protocolText } from '../../experiment/deviations.ts';
import { protocolOf, protocolSettings } from '../../experiment/protocols.ts';
import type { ProtocolName, ProtocolText } from '../../experiment/protocols.ts';
import type { SettingName } from '../../experiment/settings.ts';
import type { CompiledDocument, Declaration, SearchContent } from '../check/document.ts';
import { mergedSettings } from '../check/mergedSettings.ts';
import { propertyOfSetting } from '../check/settingProperties.ts';
import { plannedSettings, plannedTexts } from '../plan/plannedInputs.ts';

/** What a protocol sets, as Markdown. @param start of the block that names it; without one it is told for itself */
export function describeProtocol(document: CompiledDocument, name: ProtocolName, start?: number): string {
  const { title, documentation, notes } = protocolOf(name);
  const block = document.declarations.find((declaration) => declaration.start === start);
  const parts = [
    markdownBlock(`protocol: ${name}`, 'prune'),
    `**${title}.** ${documentation}`,
    ...(block && 'content' in block ? [ownText(document, name, block)] : []),
    protocolTable(name),
    notes.map((note) => `- ${note}`).join('\n'),
  ];
  return parts.join('\n\n');
}

/** Every text and setting of a protocol with where it stands in the authors' code, as a table of Markdown. */
export function protocolTable(name: ProtocolName): string {
  const { texts, settings, search = [], magnitude } = protocolOf(name);
  const rows: string[][] = [
    ...TEXTS.flatMap(([property, text]) =>
      texts[text] ? [[`\`${property}\``, textCell(texts[text]), texts[text].source]] : [],
    ),
    ...settings.map(({ name: setting, value, source }) => [
      `\`${propertyOfSetting(setting as SettingName)}\``,
      `\`${String(value)}\``,
      source,
    ]),
    ...(magnitude ? [['`group` of magnitude', `\`${magnitude.group}\``, magnitude.source]] : []),
    ...search.map(({ name: setting, value, source }) => [`\`${setting}\` of a search`, `\`${String(value)}\``, source]),
  ];
  return ['| sets | to | source |', '|---|---|---|', ...rows.map((cells) => `| ${cells.join(' | ')} |`)].join('\n');
}

/** The properties that name texts. */
const TEXTS = [
  ['evaluate', 'text'],
  ['calibrate', 'calibration'],
  ['gradients', 'gradients'],
] as const;

function textCell({ what, from, rows }: ProtocolText): string {
  const said = Object.entries(rows).map(([name, value]) => `${name} ${String(value)}`);
  return [
    what,
    ...(from === undefined ? [] : [markdownCode(from)]),
    ...(said.length === 0 ? [] : [`(${said.join(', ')})`]),
  ].join(' ');
}

/** What a block has of it: "wanda, but length 1024", as far as a file shows it. */
function ownText(
  { declarations }: CompiledDocument,
  protocol: ProtocolName,
  { kind, content }: Extract<Declaration, { readonly content: unknown }>,
): string {
  const defaults =
    kind === 'defaults' ? undefined : declarations.find((declaration) => declaration.kind === 'defaults');
  const under = defaults && 'content' in defaults ? defaults.content : undefined;
  const said: SearchContent = { ...NOTHING, ...under, ...content, protocol };
  const { text, test, rows, ...texts } = plannedTexts(said, '/', kind === 'search' ? 'search' : 'experiment');
  // What a search takes its fitness on is none of a protocol's.
  const evaluated = kind === 'search' ? test : text;
  const own = rows?.[kind === 'search' ? 'test' : 'text'];
  const { calibration, gradients } = rows ?? {};
  const plan = {
    ...texts,
    ...{ protocol, model: '', text: evaluated ?? '' },
    rows: { ...(own && { text: own }), ...(calibration && { calibration }), ...(gradients && { gradients }) },
    settings: plannedSettings(protocol, mergedSettings(protocol, under?.settings, content.settings)),
  };
  // Every model is as long as it takes, and no file is known by its content.
  const deviations = deviationsOf(plan, { modelLength: Infinity, hashes: {}, calibrated: true, gradients: true });
  const search = protocolSettings(protocol, 'search');
  const others = Object.entries(said.search).filter(([name, value]) => name in search && value !== search[name]);
  const told = [...deviations, ...others.map(([name, value]) => `${name} ${String(value)}`)];
  return told.length === 0
    ? 'Here all of it holds.'
    : `Here it is **${markdownText(protocolText(protocol, told))}**, as far as the file shows it.`;
}

const NOTHING: SearchContent = { settings: {}, search: {}, llm: {} };
