import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Engine } from '../../engine/engine.ts';
import type { ModelCosts } from '../../experiment/costSchema.ts';
import type { ExportReport, SpeedReport } from '../../experiment/exportSchema.ts';
import { formatBytes, formatCount, formatRate } from '../../experiment/format.ts';
import { lengthText, lengthWarning } from '../../experiment/length.ts';
import { inputName } from '../../experiment/hubName.ts';
import { isStructural } from '../../experiment/planned.ts';
import { predict, predictionWords, sizesOf, SPEED_BATCH } from '../../experiment/prediction.ts';
import type { Prediction } from '../../experiment/predictionSchema.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { DEFAULT_SETTINGS } from '../../experiment/settings.ts';
import { locate } from '../../language/plan/plannedInputs.ts';
import { makeTemporaryFolder, removeTemporary } from '../../files/temporary.ts';
import { JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT } from '../exitCode.ts';
import { located } from '../flags/hubFlags.ts';
import { addRunFlags, oneModel, writeModel } from '../flags/onePlan.ts';
import type { ModelToWrite, OnePlanOptions } from '../flags/onePlan.ts';
import { costsTable } from '../reports/costsTable.ts';
import { progressLine } from '../reports/progressBar.ts';
import { addSelectionFlags, readSelection } from '../flags/selection.ts';
import { kebabCase } from '../flags/flagNames.ts';

interface SpeedOptions extends OnePlanOptions {
  readonly batch: number;
  readonly rounds: number;
  /** Measures what each block shape of the first model takes, whether or not that is known. */
  readonly costs?: true;
  readonly json?: true;
}

/** What is measured, under the name that it is shown by. */
interface Subject {
  readonly name: string;
  readonly folder: string;
}

export function speedCommand(context: CommandContext): Command {
  const { terminal } = context;
  const command = new Command('speed')
    .description('tokens a second, memory and size of checkpoints side by side, or of a model before and after pruning')
    .argument('[models...]', 'checkpoint folders, the first to compare the others with; or one .prune file')
    .option('--batch <count>', 'sequences that go through the model at once', parseCount, SPEED_BATCH)
    .option('--rounds <count>', 'measured rounds after a warm-up', parseCount, 7)
    .option(
      '--costs',
      'measures what each block shape of the first model takes, keeps it for predictions, and prints it',
    );
  addSelectionFlags(addRunFlags(command))
    .option(...JSON_FLAG)
    .action(async (models: readonly string[], options: SpeedOptions) => {
      const pruned = selects(models, options) ? await modelToMeasure(models, options, context) : undefined;
      if (pruned === undefined) requireFolders(models, options);
      const { length, device, precision, threads } = pruned?.plan.settings ?? {
        ...DEFAULT_SETTINGS,
        ...(await readSelection(undefined, options, context)).overlay.settings,
      };
      const { batch, rounds } = options;
      const engine = await context.createEngine();
      const temporary: string[] = [];
      let reports: readonly SpeedReport[];
      let costs: ModelCosts | undefined;
      let prediction: Prediction | undefined;
      const settings = { device, precision, threads };
      const measured = options.costs ? 'anew' : 'known';
      try {
        const folders = pruned ? [] : await folderSubjects(models, options, context);
        const dense = pruned?.plan.model ?? folders[0]!.folder;
        if (options.costs || pruned) {
          costs = await engine.costs({ model: dense, batch, length, settings, times: measured }, stepHooks(context));
        }
        if (options.costs && costs) {
          terminal.status('');
          const lines = options.json ? [JSON.stringify({ model: dense, costs })] : [...costsTable(costs), ''];
          for (const line of lines) terminal.print(line);
          if (folders.length === 1) {
            context.finish(EXIT.ok);
            return;
          }
        }
        const written = pruned && (await prunedSubjects(pruned, engine, temporary, context));
        prediction = written && costs && predictionOf(written.report, costs);
        const subjects = written?.subjects ?? folders;
        const plan = { models: subjects.map(({ folder }) => folder), batch, length, rounds, settings };
        const found = await engine.measureSpeed(plan, stepHooks(context));
        reports = found.map((report, index) => ({ ...report, model: subjects[index]!.name }));
      } finally {
        await engine.dispose();
        for (const folder of temporary) await removeTemporary(folder);
      }
      // When nothing is left to clear away: whoever reads may be gone, and the process then ends here.
      terminal.status('');
      const taken = reports[0]?.length ?? length;
      const shortest = Math.min(...reports.map(({ modelLength }) => modelLength));
      const warning = lengthWarning(taken, shortest);
      if (warning !== undefined && !options.json) terminal.say(`warning: ${warning}`);
      const decoded = reports[0]?.decode.batch ?? batch;
      const caption = `prefill of ${batch} × ${lengthText(taken, shortest)}, then decode in ${decoded} of them, medians of ${rounds} rounds`;
      const lines = options.json
        ? reports.map((report, index) =>
            JSON.stringify({ ...report, batch, rounds, ...(index === 1 && prediction && { predicted: prediction }) }),
          )
        : [...speedTable(reports, caption), ...(prediction ? ['', predictedLine(prediction)] : [])];
      for (const line of lines) terminal.print(line);
      context.finish(EXIT.ok);
    });
  return withExamples(command, [
    ['two checkpoints', 'espalier speed models/tiny models/tiny-30'],
    ['what each block shape takes, which predictions then know', 'espalier speed models/tiny --costs --length 256'],
    [
      'before and after pruning',
      'espalier speed --structure wanda-sp --sparsity 50% --model models/tiny --text wiki.test.raw \\\n' +
        '    --calibration wiki.valid.txt --length 256',
    ],
  ]);
}

/** Whether the command line says what to prune, rather than which folders to measure. */
function selects(models: readonly string[], options: SpeedOptions): boolean {
  const { model, metric, expression, run, structure } = options;
  return [model, metric, expression, run, structure].some((flag) => flag !== undefined) || isPruneFile(models);
}

function isPruneFile(models: readonly string[]): boolean {
  return models.length === 1 && models[0]!.endsWith('.prune');
}

async function modelToMeasure(
  models: readonly string[],
  options: SpeedOptions,
  context: CommandContext,
): Promise<ModelToWrite> {
  if (models.length <= 1) return oneModel(models[0], options, context);
  throw usageError('folders to measure, or what to prune', 'both', 'Name the folders alone, or one .prune file.');
}

/** Folders are measured as they are: what says how to prune, or to evaluate, would do nothing. */
function requireFolders(models: readonly string[], options: SpeedOptions): void {
  if (models.length === 0) throw usageError('checkpoint folders, or what to prune', 'neither', 'Name a folder.');
  const idle = Object.keys(options).find((name) => options[name] !== undefined && !MEASURED_WITH.has(name));
  if (idle === undefined) return;
  const flag = `--${kebabCase(idle)}`;
  throw usageError(`what to prune with ${flag}`, `folders with ${flag}`, 'Leave it out, or say what to prune.');
}

const MEASURED_WITH: ReadonlySet<string> = new Set([
  'batch',
  'costs',
  'download',
  'length',
  'rounds',
  'device',
  'precision',
  'threads',
  'json',
]);

async function folderSubjects(
  models: readonly string[],
  options: SpeedOptions,
  context: CommandContext,
): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  for (const name of models) {
    const { model } = await located({ model: locate(context.folder, name) }, options, context);
    subjects.push({ name, folder: model });
  }
  return subjects;
}

/** The model before and after: the pruned one is written to a folder of its own, which goes when the command ends. */
async function prunedSubjects(
  model: ModelToWrite,
  engine: Engine,
  temporary: string[],
  context: CommandContext,
): Promise<{ readonly subjects: readonly Subject[]; readonly report: ExportReport }> {
  const { plan, kept } = model;
  const [evaluation] = plan.evaluations;
  if (!evaluation || !isStructural(evaluation)) {
    context.terminal.say(
      'zeros in place make nothing faster, and memory stays: such a model is smaller on the disk when compressed, that is all',
    );
  }
  const root = await makeTemporaryFolder(tmpdir(), 'espalier-speed');
  temporary.push(root);
  const folder = path.join(root, 'pruned');
  const report = await writeModel(model, engine, { folder, format: 'huggingface' }, stepHooks(context));
  const name = evaluation
    ? `${evaluation.metric} at ${printSparsity(evaluation.sparsity)}`
    : (kept?.plan.name ?? 'recovered');
  const subjects = [
    { name: inputName(plan.model), folder: plan.model },
    { name, folder },
  ];
  return { subjects, report };
}

/** Of what was written, on the sequences that are measured. */
function predictionOf({ result }: ExportReport, costs: ModelCosts): Prediction {
  const { structure, predicted } = result;
  if (!structure) return predict(costs);
  const { speedUp } = predict(costs, sizesOf(structure));
  return { ...(predicted ?? predict(costs, sizesOf(structure))), ...(speedUp && { speedUp }) };
}

function predictedLine(prediction: Prediction): string {
  const words = predictionWords(prediction);
  if (!prediction.speedUp) return `predicted: ${words}; --costs measures what of the speed can be said before`;
  return `predicted from the costs of block shapes: ${words}`;
}

function stepHooks({ terminal, signal }: CommandContext) {
  return {
    signal,
    onProgress: (progress: Parameters<typeof progressLine>[0]): void => {
      terminal.status(progressLine(progress, terminal.statusWidth));
    },
  };
}

function speedTable(reports: readonly SpeedReport[], caption: string): readonly string[] {
  const rows = reports.map(({ model, parameters, bytes, peakMemory, tokensPerSecond, speedUp, decode }) => [
    model,
    formatCount(parameters),
    formatBytes(bytes),
    formatBytes(peakMemory),
    formatRate(tokensPerSecond.median),
    `${formatRate(tokensPerSecond.lowest)}–${formatRate(tokensPerSecond.highest)}`,
    `${speedUp.toFixed(2)} ×`,
    formatRate(decode.tokensPerSecond.median),
    `${decode.speedUp.toFixed(2)} ×`,
  ]);
  const table = [
    ['model', 'parameters', 'on disk', 'memory', 'tokens/s', 'spread', 'speed', 'decode/s', 'speed'],
    ...rows,
  ];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ');
  return [caption, '', ...table.map(line)];
}

function parseCount(text: string): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (value >= 1) return value;
  throw new InvalidArgumentError('It takes a whole number from 1 to 99999.');
}
