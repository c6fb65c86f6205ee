import { Command } from 'commander';
import { VERSION } from '../../base/version.ts';
import type { SearchKind, SearchPlan } from '../../search/kinds.ts';
import { JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { driveRun, resumedRun } from './driveRun.ts';
import type { DrivenRun, DriveOptions } from './driveRun.ts';
import { askedDevices } from '../flags/deviceFlags.ts';
import { askedSearch } from '../flags/askedSearch.ts';
import type { SearchOptions } from '../flags/askedSearch.ts';
import { located } from '../flags/hubFlags.ts';
import type { DownloadOptions } from '../flags/hubFlags.ts';
import { withModelLength } from '../flags/modelLength.ts';
import { addQueueFlag, askedQueue } from '../flags/queueFlags.ts';
import { addAllSearchFlags, addSearchInputs } from '../flags/searchFlags.ts';

export type SearchCommandOptions = SearchOptions & DriveOptions & DownloadOptions;

export function searchCommand(context: CommandContext): Command {
  const command = new Command('search')
    .description(
      'search for metrics, for how much of each block goes, or for what stays as a whole; every step is kept and can be resumed',
    )
    .argument('[file]', '.prune file with a search; flags override what it says');
  addSearchInputs(command)
    .option(
      '--target <what>',
      'self-pruner, evopress: what the rates are of, as wanda-sp, a metric, or weights(METRIC) for single weights (default: wanda-sp)',
    )
    .option(
      '--score <score>',
      'policy-gradient: what keep-probabilities start from, a method or a metric (default: wanda-sp)',
    );
  addQueueFlag(addAllSearchFlags(command))
    .option(...JSON_FLAG)
    .action((file: string | undefined, options: SearchCommandOptions) =>
      runSearchCommand('search', file, options, context),
    );
  return withExamples(command, [
    ['the search of a file', 'espalier search metrics.prune --search rates'],
    [
      'how much of each block goes, proposed by a language model of one’s own',
      'espalier search --method self-pruner --sparsity 30% --model models/tiny --text valid.txt --test test.txt \\\n' +
        '    --calibration train.txt --samples 16 --length 256 --provider openai \\\n' +
        '    --endpoint http://localhost:11434/v1 --llm qwen3:8b',
    ],
    [
      'which attention and MLP layers go as a whole',
      'espalier search --method evopress --drop sublayers --sparsity 25% --model models/tiny --text valid.txt \\\n' +
        '    --calibration train.txt --length 256 --offspring 32 --generations 20 --rounds 8,64 --survivors 4,1',
    ],
    [
      'what stays as a whole, by policy gradient',
      'espalier search --method policy-gradient --sparsity 30% --model models/tiny --text valid.txt \\\n' +
        '    --calibration train.txt --length 256 --steps 2000',
    ],
    ['on four GPUs of this machine', 'espalier search metrics.prune --devices cuda:0,cuda:1,cuda:2,cuda:3'],
    ['go on with one that was interrupted', 'espalier search --resume 20261122-1015'],
    [
      'the best rates',
      "espalier search metrics.prune --method self-pruner --json | tail -n 1 | jq -c '.best[0].rates'",
    ],
  ]);
}

/**
 * Begins a search, or goes on with one, and drives it.
 *
 * @param finds what the command finds, where its name says that
 */
export async function runSearchCommand(
  command: string,
  file: string | undefined,
  options: SearchCommandOptions,
  context: CommandContext,
  finds?: SearchKind,
): Promise<void> {
  const queue = askedQueue(options, context.variables ?? {});
  const driven = await (options.resume === undefined
    ? begin(file, options, context, finds)
    : resumedRun(options.resume, file, options, context));
  context.finish(await driveRun({ ...driven, queue }, options, context, command));
}

async function begin(
  file: string | undefined,
  options: SearchCommandOptions,
  context: CommandContext,
  finds: SearchKind | undefined,
): Promise<DrivenRun> {
  if (options.recover) throw usageError('--resume with --recover', '--recover alone', 'Say which run to go on with.');
  const devices = askedDevices(options);
  // What the plan says of the device is what whoever goes on with it without this flag needs.
  const whole = devices ? { ...options, device: devices[0]!.device } : options;
  const { plan: asked, document } = await askedSearch(file, whole, context, finds);
  const plan = await located(asked, options, context);
  const { createRun } = await import('../../runs/runFolder.ts');
  const run = await createRun<SearchPlan>(await withModelLength(plan, context), {
    root: context.folder,
    ...(document !== undefined && { document }),
    createdAt: new Date(),
    versions: { espalier: VERSION },
  });
  return { run, ...(devices && { devices }) };
}
