import { formatBytes } from '../../experiment/format.ts';
import { printReference } from '../../experiment/hubReference.ts';
import { hubEnvironment, hubToken } from '../../hub/hubEnvironment.ts';
import type { HubOffer, HubProgress, HubSession } from '../../hub/locate.ts';
import { namesHub, resolveHub } from '../../hub/resolveHub.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import { progressLine } from '../reports/progressBar.ts';

/** The same in every command that takes a model or a text. */
export const DOWNLOAD_FLAG = [
  '--download',
  'fetch what the cache lacks of names on the Hugging Face hub (hf:OWNER/NAME) without asking',
] as const;

/** Of `--model`, in every command. */
export const MODEL_HELP =
  'checkpoint folder (config.json, tokenizer.json, *.safetensors), or hf:OWNER/NAME of the Hugging Face hub';

export interface DownloadOptions {
  readonly download?: true;
}

type HubContext = Pick<CommandContext, 'terminal' | 'signal' | 'ask' | 'variables'>;

/** How the command line asks the hub: with a person's yes, or that of a flag. */
export function hubSession({ download }: DownloadOptions, context: HubContext): HubSession {
  const { terminal, signal, ask, variables = {} } = context;
  const agree = download
    ? () => Promise.resolve(true)
    : ask && ((offer: HubOffer) => ask(`${offerText(offer)} Fetch it?`));
  return {
    environment: hubEnvironment(variables),
    token: () => hubToken(variables),
    signal,
    agree,
    onProgress: (progress) => {
      terminal.status(progressLine(stepOf(progress), terminal.statusWidth));
    },
  };
}

/** A plan with paths in the place of names on the hub. */
export async function located<Plan extends { readonly model?: string; readonly text?: string }>(
  plan: Plan,
  options: DownloadOptions,
  context: HubContext,
): Promise<Plan> {
  if (!namesHub(plan)) return plan;
  try {
    return await resolveHub(plan, hubSession(options, context));
  } finally {
    context.terminal.status('');
  }
}

function stepOf({ file, done, total }: HubProgress) {
  return { stage: 'fetching', done, total, detail: `${formatBytes(done)} of ${formatBytes(total)}  ${file}` };
}

/** What would be fetched, from where to where, on a line. */
function offerText({ reference, files, bytes, endpoint, cache, licence, isGated, page }: HubOffer): string {
  const licences = licence === undefined ? [] : [`licence ${licence}`];
  const gate = isGated ? [`gated: ${page}`] : [];
  const more = [...licences, ...gate].join(', ');
  const what = `${files} ${files === 1 ? 'file' : 'files'}, ${formatBytes(bytes)}`;
  return `${printReference(reference)}: ${what}, from ${endpoint} to ${cache}${more === '' ? '' : ` (${more})`}.`;
}
