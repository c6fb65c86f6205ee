import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { EXPORT_FORMATS, LAYOUTS } from '../../experiment/exportFormats.ts';
import type { ExportFormat, Layout } from '../../experiment/exportFormats.ts';
import type { ExportReport } from '../../experiment/exportSchema.ts';
import { roundedText } from '../../experiment/exportWords.ts';
import { formatBytes, formatChange, formatCount, formatPerplexity } from '../../experiment/format.ts';
import { GGUF_TYPES, type GgufWeights } from '../../experiment/ggufTypes.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { warningsOf } from '../../experiment/resultWarnings.ts';
import { splitVerdicts, verdictText } from '../../experiment/readerWords.ts';
import { predictionWords } from '../../experiment/prediction.ts';
import { recoveryLine } from '../../experiment/recoveryWords.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT } from '../exitCode.ts';
import { progressLine } from '../reports/progressBar.ts';
import { readersLines } from '../reports/readersReport.ts';
import { addRunFlags, oneModel, writeModel } from '../flags/onePlan.ts';
import type { OnePlanOptions } from '../flags/onePlan.ts';
import { addSelectionFlags } from '../flags/selection.ts';

interface ExportOptions extends OnePlanOptions {
  readonly to?: string;
  readonly format: ExportFormat;
  readonly type?: GgufWeights;
  readonly layout?: Layout;
  readonly dryRun?: true;
  readonly json?: true;
}

export function exportCommand(context: CommandContext): Command {
  const { terminal } = context;
  const command = new Command('export')
    .description('evaluate one way of pruning, write the pruned model, and check it in another process')
    .argument('[file]', '.prune file; --metric says which metric or experiment of it')
    .option('--to <folder>', 'folder of the pruned model: not there yet, or empty')
    .addOption(
      new Option(
        '--format <format>',
        'huggingface: config.json and safetensors; onnx: for onnxruntime and transformers.js; gguf: a file for llama.cpp',
      )
        .choices(EXPORT_FORMATS)
        .default('huggingface'),
    )
    .addOption(
      new Option('--type <type>', 'of the matrices in a GGUF file; as the checkpoint has them by default').choices(
        GGUF_TYPES,
      ),
    )
    .addOption(
      new Option(
        '--layout <layout>',
        'how a Hugging Face folder says what blocks have left: for transformers, or as DeciLM, for vLLM as well',
      ).choices(LAYOUTS),
    )
    .option('--dry-run', 'only say who could read the pruned model');
  addSelectionFlags(addRunFlags(command))
    .option(...JSON_FLAG)
    .action(async (file: string | undefined, options: ExportOptions) => {
      requireFitting(options);
      const { to, format, type, layout, dryRun, json } = options;
      const model = await oneModel(file, options, context);
      const engine = await context.createEngine();
      try {
        const readers = await engine.readers(model.plan, layout);
        if (dryRun) {
          for (const line of json ? [JSON.stringify(readers)] : readersLines(readers)) terminal.print(line);
          context.finish(EXIT.ok);
          return;
        }
        if (!json) for (const line of ['who can read it:', ...readersLines(readers)]) terminal.say(line);
        const target = {
          folder: resolve(context.folder, to!),
          format,
          ...(type !== undefined && { type }),
          ...(layout && { layout }),
        };
        const report = await writeModel(model, engine, target, {
          signal: context.signal,
          onProgress: (progress) => {
            terminal.status(progressLine(progress, terminal.statusWidth));
          },
        });
        terminal.status('');
        if (!json) for (const warning of warningsOf(report.result)) terminal.say(`warning: ${warning}`);
        for (const line of json ? [exportJson(report)] : reportLines(report, model.plan)) terminal.print(line);
        context.finish(EXIT.ok);
      } finally {
        await engine.dispose();
      }
    });
  return withExamples(command, [
    ['a metric of a file', 'espalier export metrics.prune --metric wanda --sparsity 50% --to models/tiny-wanda'],
    [
      'smaller matrices, for onnxruntime',
      'espalier export --structure wanda-sp --sparsity 30% --model models/tiny --text wiki.test.raw \\\n' +
        '    --calibration wiki.valid.txt --length 256 --to models/tiny-30 --format onnx',
    ],
    [
      'for vLLM, whose blocks have one number of heads',
      'espalier export metrics.prune --metric flap --round-for vllm --layout deci --to models/tiny-deci',
    ],
    ['who could read it', 'espalier export metrics.prune --metric flap --dry-run'],
    [
      'for llama.cpp, in 8 bits',
      'espalier export metrics.prune --metric wanda --to models/tiny-gguf --format gguf --type q8_0',
    ],
    [
      'the best that a search has found, or what a recovery has kept',
      'espalier export --run RUN --to models/tiny-found',
    ],
  ]);
}

/** @throws EspalierError `cli/usage` */
function requireFitting({ to, format, type, layout, dryRun }: ExportOptions): void {
  if (to === undefined && !dryRun) throw usageError('--to with a folder', 'no --to', 'Say where the model shall go.');
  if (type !== undefined && format !== 'gguf')
    throw usageError(
      '--type with --format gguf',
      `--format ${format}`,
      'Leave --type out: the others keep the types there are.',
    );
  if (layout !== undefined && format !== 'huggingface')
    throw usageError('--layout with --format huggingface', `--format ${format}`, 'Leave --layout out.');
}

/** Sparsity is spelled, as in the lines of `espalier evaluate --json`. */
function exportJson({ result, ...report }: ExportReport): string {
  const sparsity = result.sparsity === undefined ? null : printSparsity(result.sparsity);
  const warnings = warningsOf(result);
  return JSON.stringify({ ...report, result: { ...result, sparsity }, ...(warnings.length > 0 && { warnings }) });
}

/** Columns of what a line is about. */
const WIDEST = 10;

function reportLines(report: ExportReport, { settings }: EvaluationPlan): readonly string[] {
  const { folder, format, result, parameters, bytes, leftOut, readers, rounded, notes, verification } = report;
  const removed = 1 - parameters.exported / parameters.dense;
  return [
    `saved ${folder} (${format}, ${formatBytes(bytes)})`,
    `  perplexity  ${formatPerplexity(result.perplexity)}, dense ${formatPerplexity(result.densePerplexity)} (${formatChange(result.perplexity, result.densePerplexity)})`,
    ...(result.recovery ? [`  recovered   ${recoveryLine(result.recovery)}`] : []),
    ...(rounded ? [`  as stored   ${roundedText(rounded, result.perplexity)}`] : []),
    `  parameters  ${formatCount(parameters.exported)} of ${formatCount(parameters.dense)}${removed > 0 ? `, ${(removed * 100).toFixed(1)} % fewer` : ': zeros stay in place'}`,
    ...(result.predicted ? [`  speed       ${predictionWords(result.predicted)}`] : []),
    `  checked     read back in another process: logits of ${verification.rows} tokens differ by ${verification.difference.toExponential(1)} (${settings.precision === 'float16' ? 'float16' : 'float32'})`,
    ...(notes ?? []).map((note) => `  note        ${note}`),
    ...splitVerdicts(readers, format).can.map((each) => `  ${each.reader.padEnd(WIDEST)}  ${verdictText(each)}`),
    ...(leftOut.length === 0 ? [] : [`  left out    ${leftOut.join(', ')}: links that lead out of the checkpoint`]),
  ];
}
