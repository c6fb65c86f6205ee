import { formatBytes, formatSeconds } from '../../experiment/format.ts';
import { inputText } from '../../experiment/hubName.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { preflightTasks } from '../../experiment/preflightTasks.ts';
import { isStructural } from '../../experiment/planned.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { ReadersReport } from '../../experiment/readersSchema.ts';
import { predictionLines, ZEROS_IN_PLACE } from '../../experiment/prediction.ts';
import type { Preflight } from '../../experiment/preflightSchema.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import { EXIT } from '../exitCode.ts';
import type { ExitCode } from '../exitCode.ts';
import type { Engine } from '../../engine/engine.ts';
import { readersLines } from './readersReport.ts';
import { progressLine } from './progressBar.ts';

/** What the plans would take, one after the other; nothing is evaluated. */
export async function preflightPlans(
  plans: readonly EvaluationPlan[],
  json: boolean,
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context;
  const engine = await context.createEngine();
  try {
    for (const [index, plan] of plans.entries()) {
      const preflight = await engine.preflight(plan, {
        signal,
        onProgress: (progress) => {
          terminal.status(progressLine(progress, terminal.statusWidth));
        },
      });
      terminal.status('');
      if (index > 0 && !json) terminal.print('');
      const lines = json
        ? [
            JSON.stringify({
              model: plan.model,
              metrics: metricsOf(plan),
              ...preflight,
              ...(plan.evaluations.some(isStructural) && { readers: await readersOf(plan, engine) }),
            }),
          ]
        : preflightLines(plan, preflight);
      for (const line of lines) terminal.print(line);
      if (!json) for (const line of await readerLinesOf(plan, engine)) terminal.print(line);
    }
  } finally {
    terminal.status('');
    await engine.dispose();
  }
  return EXIT.ok;
}

/** Who could read what each structural evaluation of the plan leaves; zeros in place change nothing about that. */
async function readersOf(
  plan: EvaluationPlan,
  engine: Engine,
): Promise<readonly ({ metric: string; sparsity: string } & ReadersReport)[]> {
  const found = [];
  for (const evaluation of plan.evaluations.filter(isStructural)) {
    const report = await engine.readers({ ...plan, evaluations: [evaluation] });
    found.push({ metric: evaluation.metric, sparsity: printSparsity(evaluation.sparsity), ...report });
  }
  return found;
}

/** The same for a person: once for all of which the same is true. */
async function readerLinesOf(plan: EvaluationPlan, engine: Engine): Promise<string[]> {
  const names = new Map<string, string[]>();
  for (const { metric, sparsity, ...report } of await readersOf(plan, engine)) {
    const lines = readersLines(report).join('\n');
    names.set(lines, [...(names.get(lines) ?? []), `${metric} at ${sparsity}`]);
  }
  return [...names].flatMap(([lines, which]) => [`who can read ${which.join(', ')}, once exported:`, lines]);
}

/** One plan's preflight for a person. */
function preflightLines(plan: EvaluationPlan, preflight: Preflight): string[] {
  const { models, blocks, length, gradients, steps, flops, gigaflops, seconds, costs, free, warnings, problems } =
    preflight;
  const rows: [string, string][] = [
    ['metrics', metricsOf(plan).join(', ') || 'none: the dense model'],
    ['time', `about ${formatSeconds(seconds)} on ${preflight.deviceName}, at ${Math.round(gigaflops)} GFLOP/s`],
    [
      'work',
      `${models} ${models === 1 ? 'model' : 'models'}${blocks > 0 ? ` over ${blocks} blocks of ${length} tokens` : ''}, ` +
        `${Math.round(flops / 1e9)} GFLOP in ${steps} steps`,
    ],
    ...(preflight.tasks ? [['tasks', preflightTasks(preflight.tasks)] satisfies [string, string]] : []),
    ...(preflight.budgets ?? []).map((text): [string, string] => ['budget', text]),
    ['gradients', gradients],
    ...speedRows(plan, preflight),
    ...costs.map(({ name, kind, bytes }): [string, string] => [name, `${formatBytes(bytes)} of ${kind}`]),
    ['free', `${formatBytes(free.memory)} of memory, ${formatBytes(free.disk)} of disk`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...problems,
  ];
}

/** What becomes of size and speed, by metric and sparsity. */
function speedRows({ model }: EvaluationPlan, { speeds = [], length }: Preflight): [string, string][] {
  const structural = speeds.flatMap(({ metric, sparsity, prediction }) => [
    { name: `${metric} at ${sparsity}`, prediction },
  ]);
  const lines = predictionLines(structural, `espalier speed ${inputText(model)} --costs --length ${length}`);
  const zeros = speeds.some(({ prediction }) => !prediction);
  const told = zeros ? [`${lines.length > 0 ? 'single weights: ' : ''}${ZEROS_IN_PLACE}`] : [];
  return [...lines, ...told].map((line): [string, string] => ['speed', line]);
}

function metricsOf({ evaluations }: EvaluationPlan): string[] {
  return [...new Set(evaluations.map(({ metric }) => metric))];
}
