import type { Engine } from '../../engine/engine.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { TaskDocument } from '../../experiment/taskSchema.ts';
import type { CommandContext } from './commandContext.ts';
import type { EvaluationReport } from '../reports/evaluationReport.ts';
import { documentsOfTasks } from '../reports/taskJson.ts';
import { EXIT, exitCodeOf } from '../exitCode.ts';
import type { ExitCode } from '../exitCode.ts';
import { progressLine } from '../reports/progressBar.ts';
import { timeLeft } from '../reports/timeLeft.ts';

/**
 * Evaluates the plans in order and reports every evaluation as it ends. The result is the worst that happened.
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
  let worst: ExitCode = EXIT.ok;
  try {
    for (const plan of plans) {
      report.begin(plan);
      const code = await evaluatePlan(plan, engine, report, context, details);
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
  details: boolean,
): Promise<ExitCode> {
  let worst: ExitCode = EXIT.ok;
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
      onResult: (result) => {
        report.result(result, documentsOfTasks(result.tasks, documents));
        documents = [];
      },
      onFailure: (failure, index) => {
        failures++;
        worst = exitCodeOf(failure.code);
        report.failure(plan.evaluations[index]!, failure);
      },
    });
  } catch (thrown) {
    // A plan whose every metric failed rejects with the last failure: it has been reported, each under its metric.
    if (failures === 0 || failures < plan.evaluations.length) throw thrown;
  }
  return worst;
}
