import { Command } from 'commander';
import { formatBytes } from '../../experiment/format.ts';
import { parseHubModel } from '../../experiment/hubReference.ts';
import { listCache } from '../../hub/cacheList.ts';
import type { CachedRepository } from '../../hub/cacheList.ts';
import { hubEnvironment } from '../../hub/hubEnvironment.ts';
import { DOWNLOAD_FLAG, hubSession } from '../flags/hubFlags.ts';
import type { DownloadOptions } from '../flags/hubFlags.ts';
import { EXIT } from '../exitCode.ts';
import { JSON_FLAG, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';

interface HubOptions extends DownloadOptions {
  readonly json?: true;
}

export function hubCommand(context: CommandContext): Command {
  const { terminal } = context;
  const list = new Command('list')
    .description('the models and data sets in the cache, what was used last first; nothing is asked of the hub')
    .option(...JSON_FLAG)
    .action(async ({ json }: HubOptions) => {
      const { cache } = hubEnvironment(context.variables ?? {});
      const found = await listCache(cache);
      if (json) for (const one of found) terminal.print(JSON.stringify(repositoryJson(one)));
      else if (found.length === 0) terminal.print(`nothing in ${cache}`);
      else for (const line of cacheTable(found)) terminal.print(line);
      context.finish(EXIT.ok);
    });
  const download = new Command('download')
    .description(
      'ask the hub for what a model, or a text, is now; fetch what the cache lacks of it, and print its path',
    )
    .argument('<reference>', 'hf:owner/name of a model, or hf:owner/name/config:split of a text; @revision behind it')
    .option(DOWNLOAD_FLAG[0], 'without a question about how much it is')
    .option(...JSON_FLAG)
    .action(async (text: string, { json, ...options }: HubOptions) => {
      const { fetchReference, referenceTo } = await import('../../hub/locate.ts');
      const reference = referenceTo(text, 'reference' in parseHubModel(text) ? 'model' : 'text');
      // To name it is to agree where nobody can be asked.
      const session = hubSession(context.ask ? options : { download: true }, context);
      const place = await fetchReference(reference, session).finally(() => {
        terminal.status('');
      });
      terminal.print(json ? JSON.stringify({ reference: text, path: place }) : place);
      context.finish(EXIT.ok);
    });
  const command = new Command('hub').description(
    'the Hugging Face hub, and the cache on this machine that Python’s library shares: list, download',
  );
  for (const sub of [list, download]) command.addCommand(sub, { isDefault: sub === list });
  return withExamples(command, [
    ['what is there', 'espalier hub'],
    ['a model, and the folder that it is in', 'espalier hub download hf:meta-llama/Llama-3.2-1B'],
    ['a text', 'espalier hub download hf:Salesforce/wikitext/wikitext-2-raw-v1:test'],
    ['without a question, in a script', 'espalier evaluate metrics.prune --model hf:gpt2 --download'],
  ]);
}

function repositoryJson({ used, modified, isComplete, ...rest }: CachedRepository): object {
  return { ...rest, complete: isComplete, used: timeText(used), modified: timeText(modified) };
}

function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function cacheTable(found: readonly CachedRepository[]): readonly string[] {
  const rows = found.map((one) => [
    one.kind === 'model' ? 'model' : 'data set',
    one.id,
    formatBytes(one.bytes),
    timeText(one.used).slice(0, 10),
    one.commits[0]?.slice(0, 7) ?? '–',
    stateOf(one),
  ]);
  const table = [['what', 'name', 'on disk', 'last used', 'commit', ''], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    row
      .map((cell, column) => (column === 2 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

function stateOf({ kind, isComplete, unfinished }: CachedRepository): string {
  if (unfinished > 0) return 'incomplete: a download was stopped';
  if (isComplete) return '';
  return kind === 'model' ? 'incomplete, or not in safetensors' : 'empty';
}
