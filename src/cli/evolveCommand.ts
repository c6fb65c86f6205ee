import { Command, InvalidArgumentError } from 'commander';
import { VERSION } from '../base/version.ts';
import { isMetricEvent } from '../experiment/runPlan.ts';
import type { SearchPlan } from '../experiment/search.ts';
import { parseSparsity } from '../experiment/sparsity.ts';
import type { Sparsity } from '../experiment/sparsity.ts';
import { nearestName } from '../metric/nearest.ts';
import { OPERAND_NAMES } from '../metric/operands.ts';
import type { OperandName } from '../metric/operands.ts';
import { OPERATION_NAMES } from '../metric/operations.ts';
import type { OperationName } from '../metric/operations.ts';
import type { RunFolder } from '../runs/runFolder.ts';
import { foldEvent, newSearchState } from '../search/searchState.ts';
import { collect, JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT } from './exitCode.ts';
import type { ExitCode } from './exitCode.ts';
import { searchOfFile, searchOfFlags } from './searchPlans.ts';
import type { SearchFlags } from './searchPlans.ts';
import { humanSearchReport, jsonSearchReport } from './searchReport.ts';
import { addSearchFlags, searchOverrides } from './settingFlags.ts';

interface EvolveOptions extends Omit<SearchFlags, 'settings' | 'search'>, Readonly<Record<string, unknown>> {
  readonly search?: string;
  readonly resume?: string;
  readonly recover?: true;
  readonly workers?: number;
  readonly json?: true;
}

export function evolveCommand(context: CommandContext): Command {
  const command = new Command('evolve')
    .description(
      'search for metrics that prune a checkpoint well, by genetic programming; every step is kept and can be resumed',
    )
    .argument('[file]', '.prune file with a search; flags override what it says')
    .option('--search <name>', 'which search of the file')
    .option('--resume <run>', 'go on with a run: its id, or the beginning of it (`espalier runs` lists them)')
    .option('--recover', 'with --resume: drop what stands behind the damage of a damaged journal')
    .option('--model <folder>', 'checkpoint folder (config.json, tokenizer.json, *.safetensors)')
    .option('--text <file>', 'UTF-8 text whose perplexity is the fitness')
    .option('--calibration <file>', 'UTF-8 text that calibration samples are cut from')
    .option('--test <file>', 'UTF-8 text that the search never sees: what it found is evaluated there at the end')
    .option('--sparsity <share>', 'weights to remove: 50%, 2:4, 4:8 (default: 50%)', parseOneSparsity)
    .option('--operands <list>', 'leaves of the trees, as W,X (default: W,X,G)', parseNames(OPERAND_NAMES, 'operand'))
    .option(
      '--operations <list>',
      'nodes of the trees, as mul,sqrt,mms (default: Pruner-Zero’s)',
      parseNames(OPERATION_NAMES, 'operation'),
    )
    .option(
      '--from <metric>',
      'start from this metric, of the file or as an expression; may be repeated',
      collect(String),
    )
    .option(
      '--baseline <metric>',
      'compare with this metric: of the file, an expression, or one of magnitude, wanda, taylor, pruner-zero; may be repeated',
      collect(String),
    );
  addSearchFlags(command)
    .option(...JSON_FLAG)
    .action(async (file: string | undefined, options: EvolveOptions) => {
      const run = await (options.resume === undefined
        ? begin(file, options, context)
        : resumed(options.resume, file, options, context));
      context.finish(await evolve(run, options, context));
    });
  return withExamples(command, [
    ['the search of a file', 'espalier evolve metrics.prune'],
    [
      'without a file',
      'espalier evolve --model models/tiny --text train.txt --calibration calib.txt --test test.txt \\\n' +
        '    --sparsity 60% --population 30 --generations 10 --samples 16 --length 256 --blocks 32 --workers 2',
    ],
    ['go on with one that was interrupted', 'espalier evolve --resume 20261122-1015'],
    ['the best metric found', "espalier evolve metrics.prune --json | tail -n 1 | jq -r '.best[0].metric'"],
  ]);
}

async function begin(
  file: string | undefined,
  options: EvolveOptions,
  context: CommandContext,
): Promise<RunFolder<SearchPlan>> {
  if (options.recover) throw usageError('--resume with --recover', '--recover alone', 'Say which run to go on with.');
  if (file === undefined && options.search !== undefined) {
    throw usageError('a .prune file with --search', '--search alone', 'Name the file, or leave --search out.');
  }
  const flags: SearchFlags = { ...options, ...searchOverrides(options) };
  const { plan, document } =
    file === undefined
      ? await searchOfFlags(flags, context.folder)
      : await searchOfFile(file, options.search, flags, context);
  const { createRun } = await import('../runs/runFolder.ts');
  return createRun(plan, {
    root: context.folder,
    ...(document !== undefined && { document }),
    createdAt: new Date(),
    versions: { espalier: VERSION },
  });
}

/** A run goes on as it was asked; only what decides nothing but time may be said anew. */
async function resumed(
  id: string,
  file: string | undefined,
  options: EvolveOptions,
  context: CommandContext,
): Promise<RunFolder<SearchPlan>> {
  const allowed = new Set(['resume', 'recover', 'workers', 'json']);
  const other = file ?? Object.keys(options).find((name) => options[name] !== undefined && !allowed.has(name));
  if (other !== undefined) {
    throw usageError(
      '--resume with nothing else but --workers, --recover and --json',
      other === file ? `the file ${file}` : `--${other}`,
      'A run goes on as it was asked: leave it out, or start a new search.',
    );
  }
  const { asMetricRun, findRun, openRun } = await import('../runs/runFolder.ts');
  return asMetricRun(await openRun(await findRun(context.folder, id)), `going on with the run ${id}`);
}

async function evolve(run: RunFolder<SearchPlan>, options: EvolveOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  const { runSearchOf } = await import('../coordinator/coordinator.ts');
  const { deleteRun, journalOf } = await import('../runs/runFolder.ts');
  const state = newSearchState();
  for await (const records of journalOf(run).more()) {
    for (const { event, at } of records) if (isMetricEvent(event)) foldEvent(state, event, at);
  }
  const report = options.json ? jsonSearchReport(terminal) : humanSearchReport(terminal);
  report.begin(run, state);
  try {
    const { kind } = await runSearchOf(run, {
      signal,
      spawn: () => context.forkWorker(),
      ...(options.workers !== undefined && { workers: options.workers }),
      ...(options.recover && { recover: true }),
      onProgress: (progress) => {
        report.progress(progress);
      },
      onEvent: (record) => {
        if (isMetricEvent(record.event)) foldEvent(state, record.event, record.at);
        report.event(record, state);
      },
    });
    report.end(run, state);
    return kind === 'finished' ? EXIT.ok : EXIT.interrupted;
  } catch (thrown) {
    terminal.status('');
    if (!options.json && state.opening !== undefined && state.status === 'failed') {
      terminal.say(`the run failed; once that is mended, go on with: espalier evolve --resume ${run.run.id}`);
    }
    throw thrown;
  } finally {
    terminal.status('');
    // A model that is not there, a flag that was wrong: nothing was begun that one could go on with.
    if (options.resume === undefined && state.opening === undefined) await deleteRun(run.folder);
  }
}

function parseOneSparsity(text: string): Sparsity {
  const sparsity = parseSparsity(text);
  if (sparsity !== undefined) return sparsity;
  throw new InvalidArgumentError(`${JSON.stringify(text)} is no sparsity: write 50%, 0.5, 2:4 or 4:8.`);
}

function parseNames<Name extends OperandName | OperationName>(known: readonly Name[], what: string) {
  return (text: string): readonly Name[] => {
    const names = text.split(',').map((part) => {
      const name = known.find((one) => one === part.trim());
      if (name !== undefined) return name;
      const near = nearestName(part.trim(), known);
      const hint = near === undefined ? `There are ${known.join(', ')}.` : `Did you mean ${near}?`;
      throw new InvalidArgumentError(`${JSON.stringify(part)} is no ${what}. ${hint}`);
    });
    return [...new Set(names)];
  };
}
