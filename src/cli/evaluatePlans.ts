import { EspalierError, toErrorData } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { EvaluationPlan } from '../experiment/plan.ts';
import type { EvaluationResult } from '../experiment/result.ts';
import type { CommandContext } from './commandContext.ts';
import type { EvaluationReport } from './evaluationReport.ts';
import { EXIT, exitCodeOf } from './exitCode.ts';
import type { ExitCode } from './exitCode.ts';
import { progressLine } from './progressBar.ts';

/** Failures that are one metric's own: the others of its plan are evaluated all the same. */
const OF_ONE_METRIC: ReadonlySet<ErrorCode> = new Set(['metric/invalid-score', 'metric/unsupported']);

/** Evaluates the plans in order and reports every evaluation as it ends. The result is the worst that happened. */
export async function evaluatePlans(
  plans: readonly EvaluationPlan[],
  report: EvaluationReport,
  context: CommandContext,
): Promise<ExitCode> {
  const engine = await context.createEngine();
  let worst: ExitCode = EXIT.ok;
  try {
    for (const plan of plans) {
      report.begin(plan);
      const code = await evaluatePlan(plan, engine, report, context);
      if (code !== EXIT.ok) worst = code;
      report.end();
    }
  } finally {
    context.terminal.status('');
    await engine.dispose();
  }
  return worst;
}

async function evaluatePlan(
  plan: EvaluationPlan,
  engine: Engine,
  report: EvaluationReport,
  { terminal, signal }: CommandContext,
): Promise<ExitCode> {
  let worst: ExitCode = EXIT.ok;
  let rest = plan;
  for (;;) {
    const results: EvaluationResult[] = [];
    try {
      await engine.evaluate(rest, {
        signal,
        onProgress: (progress) => {
          terminal.status(progressLine(progress, terminal.statusWidth));
        },
        onResult: (result) => {
          results.push(result);
          report.result(result);
        },
      });
      return worst;
    } catch (thrown) {
      // Results come in the plan's order, so the one that failed is the first without one.
      const failed = rest.evaluations[results.length];
      if (!(thrown instanceof EspalierError) || failed === undefined || !OF_ONE_METRIC.has(thrown.code)) throw thrown;
      report.failure(failed, toErrorData(thrown, 'evaluating'));
      worst = exitCodeOf(thrown.code);
      rest = { ...rest, evaluations: rest.evaluations.slice(results.length + 1) };
      if (rest.evaluations.length === 0) return worst;
    }
  }
}
