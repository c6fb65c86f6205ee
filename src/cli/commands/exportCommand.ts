import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { EXPORT_FORMATS } from '../../experiment/exportSchema.ts';
import type { ExportFormat, ExportReport } from '../../experiment/exportSchema.ts';
import { roundedText } from '../../experiment/exportWords.ts';
import { formatBytes, formatChange, formatCount, formatPerplexity } from '../../experiment/format.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { warningsOf } from '../../experiment/resultWarnings.ts';
import { predictionWords } from '../../experiment/prediction.ts';
import { recoveryLine } from '../../experiment/recoveryWords.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT } from '../exitCode.ts';
import { progressLine } from '../reports/progressBar.ts';
import { addRunFlags, oneModel, writeModel } from '../flags/onePlan.ts';
import type { OnePlanOptions } from '../flags/onePlan.ts';
import { addSelectionFlags } from '../flags/selection.ts';

interface ExportOptions extends OnePlanOptions {
  readonly to?: string;
  readonly format: ExportFormat;
  readonly json?: true;
}

export function exportCommand(context: CommandContext): Command {
  const { terminal } = context;
  const command = new Command('export')
    .description('evaluate one way of pruning, write the pruned model, and check it in another process')
    .argument('[file]', '.prune file; --metric says which metric or experiment of it')
    .option('--to <folder>', 'folder of the pruned model: not there yet, or empty')
    .addOption(
      new Option('--format <format>', 'huggingface: config.json and safetensors; onnx: a model for onnxruntime')
        .choices(EXPORT_FORMATS)
        .default('huggingface'),
    );
  addSelectionFlags(addRunFlags(command))
    .option(...JSON_FLAG)
    .action(async (file: string | undefined, options: ExportOptions) => {
      const { to, format, json } = options;
      if (to === undefined) throw usageError('--to with a folder', 'no --to', 'Say where the model shall go.');
      const model = await oneModel(file, options, context);
      const engine = await context.createEngine();
      try {
        const target = { folder: resolve(context.folder, to), format };
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
      'the best that a search has found, or what a recovery has kept',
      'espalier export --run RUN --to models/tiny-found',
    ],
  ]);
}

/** Sparsity is spelled, as in the lines of `espalier evaluate --json`. */
function exportJson({ result, ...report }: ExportReport): string {
  const sparsity = result.sparsity === undefined ? null : printSparsity(result.sparsity);
  const warnings = warningsOf(result);
  return JSON.stringify({ ...report, result: { ...result, sparsity }, ...(warnings.length > 0 && { warnings }) });
}

function reportLines(report: ExportReport, { settings }: EvaluationPlan): readonly string[] {
  const { folder, format, result, parameters, bytes, plain, leftOut, rounded, verification } = report;
  const removed = 1 - parameters.exported / parameters.dense;
  return [
    `saved ${folder} (${format}, ${formatBytes(bytes)})`,
    `  perplexity  ${formatPerplexity(result.perplexity)}, dense ${formatPerplexity(result.densePerplexity)} (${formatChange(result.perplexity, result.densePerplexity)})`,
    ...(result.recovery ? [`  recovered   ${recoveryLine(result.recovery)}`] : []),
    ...(rounded ? [`  as stored   ${roundedText(rounded, result.perplexity)}`] : []),
    `  parameters  ${formatCount(parameters.exported)} of ${formatCount(parameters.dense)}${removed > 0 ? `, ${(removed * 100).toFixed(1)} % fewer` : ': zeros stay in place'}`,
    ...(result.predicted ? [`  speed       ${predictionWords(result.predicted)}`] : []),
    `  checked     read back in another process: logits of ${verification.rows} tokens differ by ${verification.difference.toExponential(1)} (${settings.precision === 'float16' ? 'float16' : 'float32'})`,
    ...(plain || format === 'onnx'
      ? []
      : [
          '  config      has sizes or biases that the family has no fields for: Espalier reads the folder, transformers does not',
        ]),
    ...(leftOut.length === 0 ? [] : [`  left out    ${leftOut.join(', ')}: links that lead out of the checkpoint`]),
  ];
}
