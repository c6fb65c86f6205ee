import type { ErrorData } from '../../base/errors.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import type { TaskDocument } from '../../experiment/taskSchema.ts';
import { EXIT, exitCodeOf } from '../exitCode.ts';
import type { ExitCode } from '../exitCode.ts';
import type { EvaluationReport } from './evaluationReport.ts';
import { documentsOfTasks } from './taskJson.ts';

interface Reported {
  readonly plan: EvaluationPlan;
  /** What waits to be told, by the place of its evaluation. */
  readonly waiting: Map<number, () => void>;
  /** Evaluations that were told. */
  told: number;
}

/** Tells of evaluations in the order of their plans, in whatever order they end. */
export class OrderedReport {
  private readonly report: EvaluationReport;
  private readonly plans: readonly Reported[];
  /** The plan that is told of. */
  private current = 0;
  private worst: ExitCode = EXIT.ok;

  constructor(plans: readonly EvaluationPlan[], report: EvaluationReport) {
    this.report = report;
    this.plans = plans.map((plan) => ({ plan, waiting: new Map(), told: 0 }));
    this.begin();
  }

  /** The worst that was told. */
  get code(): ExitCode {
    return this.worst;
  }

  /** @param index of the evaluation in the plan; 0 for the dense model of one without */
  result(plan: number, index: number, result: EvaluationResult, documents: readonly TaskDocument[]): void {
    this.tell(plan, index, () => {
      this.report.result(result, documentsOfTasks(result.tasks, documents));
    });
  }

  failure(plan: number, index: number, error: ErrorData): void {
    this.tell(plan, index, () => {
      this.worst = exitCodeOf(error.code);
      this.report.failure(this.plans[plan]!.plan.evaluations[index]!, error);
    });
  }

  /** No more will come: what waits for others is told without them. */
  end(): void {
    while (this.current < this.plans.length) {
      const { waiting } = this.plans[this.current]!;
      for (const [, tell] of [...waiting].sort(([a], [b]) => a - b)) tell();
      waiting.clear();
      this.current++;
      if (this.plans[this.current]?.waiting.size) this.begin();
    }
  }

  private tell(plan: number, index: number, tell: () => void): void {
    this.plans[plan]!.waiting.set(index, tell);
    if (plan === this.current) this.advance();
  }

  private advance(): void {
    for (let reported = this.plans[this.current]; reported; reported = this.plans[this.current]) {
      const { waiting, plan } = reported;
      for (let next = waiting.get(reported.told); next; next = waiting.get(reported.told)) {
        waiting.delete(reported.told++);
        next();
      }
      if (reported.told < Math.max(1, plan.evaluations.length)) return;
      this.report.end();
      this.current++;
      this.begin();
    }
  }

  private begin(): void {
    const next = this.plans[this.current];
    if (next) this.report.begin(next.plan);
  }
}
