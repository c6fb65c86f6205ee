import type { Engine } from '../../engine/engine.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { TaskDocument } from '../../experiment/taskSchema.ts';
import type { CommandContext } from './commandContext.ts';
import type { EvaluationReport } from '../reports/evaluationReport.ts';
import { OrderedReport } from '../reports/orderedReport.ts';
import type { ExitCode } from '../exitCode.ts';
import { progressLine } from '../reports/progressBar.ts';
import { timeLeft } from '../reports/timeLeft.ts';

/**
 * Evaluates the plans one after the other in this process and reports every evaluation as it ends. The result is the worst that happened.
 *
 * @param details whether the documents of tasks are reported, too
 */
export async function evaluatePlans(
  plans: readonly EvaluationPlan[],
  report: EvaluationReport,
  context: CommandContext,
  details = false,
): Promise<ExitCode> {
  const engine = await context.createEngine();
  const ordered = new OrderedReport(plans, report);
  try {
    for (const [place, plan] of plans.entries()) await evaluatePlan(plan, place, engine, ordered, context, details);
  } finally {
    ordered.end();
    context.terminal.status('');
    await engine.dispose();
  }
  return ordered.code;
}

async function evaluatePlan(
  plan: EvaluationPlan,
  place: number,
  engine: Engine,
  report: OrderedReport,
  { terminal, signal }: CommandContext,
  details: boolean,
): Promise<void> {
  let failures = 0;
  const left = timeLeft(() => performance.now() / 1000);
  /** Those that were told since the last result. */
  let documents: TaskDocument[] = [];
  try {
    await engine.evaluate(plan, {
      signal,
      onProgress: (progress) => {
        terminal.status(progressLine(progress, terminal.statusWidth, left(progress)));
      },
      ...(details && {
        onTaskDocument: (document: TaskDocument) => {
          documents.push(document);
        },
      }),
      onResult: (result, index) => {
        report.result(place, index, result, documents);
        documents = [];
      },
      onFailure: (failure, index) => {
        failures++;
        report.failure(place, index, failure);
      },
    });
  } catch (thrown) {
    // A plan whose every metric failed rejects with the last failure: it has been reported, each under its metric.
    if (failures === 0 || failures < plan.evaluations.length) throw thrown;
  }
}
