import { cancelledError, toErrorData } from '../../base/errors.ts';
import type { ErrorData } from '../../base/errors.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { EvaluationProgress } from '../../experiment/resultSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import type { Ask, RequestHooks } from '../../protocol/requests.ts';
import type { Activity } from './annotations.ts';

/** A metric or experiment of a document. */
export interface Target {
  readonly uri: string;
  readonly name: string;
}

export interface EvaluatorOptions {
  /** Asks the language for what the target means now. Rejects with a coded error that says what is missing. */
  readonly plansOf: (target: Target, signal: AbortSignal) => Promise<readonly EvaluationPlan[]>;
  /** Whether a plan may begin: a person is asked where it takes long or more than there is. */
  readonly confirm: (target: Target, plan: EvaluationPlan, hooks: RequestHooks) => Promise<boolean>;
  readonly evaluate: Ask<'evaluate'>;
  /** Called before a plan runs; what it returns is called with each of the plan's results. */
  readonly keeper: (target: Target, plan: EvaluationPlan) => Promise<(result: EvaluationResult) => void>;
  /** Changes exactly when what the target means changes; undefined where there is no such target. */
  readonly planKeyOf: (target: Target) => string | undefined;
  /** Something about an activity or a failure is new. */
  readonly onChange: () => void;
}

export type Outcome =
  { readonly kind: 'done' } | { readonly kind: 'cancelled' } | { readonly kind: 'failed'; readonly error: ErrorData };

interface Job {
  readonly target: Target;
  readonly controller: AbortController;
  readonly outcome: Promise<Outcome>;
  state: Activity['state'];
  progress?: EvaluationProgress;
}

/** Runs the evaluations that a person asks for, one after the other, and knows what each is doing or why it failed. */
export class Evaluator {
  private readonly options: EvaluatorOptions;
  private readonly jobs = new Map<string, Job>();
  private readonly failures = new Map<string, { readonly planKey: string | undefined; readonly error: ErrorData }>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(options: EvaluatorOptions) {
    this.options = options;
  }

  /** Asking again for what already runs or waits gives its outcome. */
  evaluate(target: Target): Promise<Outcome> {
    const key = keyOf(target);
    const same = this.jobs.get(key);
    if (same) return same.outcome;
    const controller = new AbortController();
    const outcome = this.enqueue(target, controller.signal);
    this.jobs.set(key, { target, controller, outcome, state: 'waiting' });
    this.failures.delete(key);
    this.options.onChange();
    return outcome;
  }

  /** Ends one evaluation, or all of them. */
  cancel(target?: Target): void {
    const jobs = target ? [this.jobs.get(keyOf(target))] : [...this.jobs.values()];
    for (const job of jobs) job?.controller.abort();
  }

  /** What runs and what waits, in order. */
  get active(): readonly { readonly target: Target; readonly activity: Activity }[] {
    return [...this.jobs.values()].map((job) => ({ target: job.target, activity: activityOf(job) }));
  }

  activityOf(target: Target): Activity | undefined {
    const job = this.jobs.get(keyOf(target));
    return job && activityOf(job);
  }

  /** Why the last evaluation failed, as long as the target means the same. */
  failureOf(target: Target): ErrorData | undefined {
    const failure = this.failures.get(keyOf(target));
    return failure && failure.planKey === this.options.planKeyOf(target) ? failure.error : undefined;
  }

  private enqueue(target: Target, signal: AbortSignal): Promise<Outcome> {
    const before = this.last;
    // Whoever waits can be cancelled at once; the turn itself is kept, so that the order is.
    const turn = Promise.race([before, aborted(signal)]);
    const outcome = turn.then(() => this.run(target, signal));
    this.last = Promise.all([before, outcome]);
    return outcome;
  }

  private async run(target: Target, signal: AbortSignal): Promise<Outcome> {
    const job = this.jobs.get(keyOf(target))!;
    const planKey = this.options.planKeyOf(target);
    try {
      if (signal.aborted) throw cancelledError(`evaluating ${target.name}`);
      job.state = 'running';
      this.options.onChange();
      const plans = await this.options.plansOf(target, signal);
      for (const plan of plans) await this.runPlan(job, plan);
      return { kind: 'done' };
    } catch (thrown) {
      const error = toErrorData(thrown, `evaluating ${target.name}`);
      if (error.code === 'cancelled') return { kind: 'cancelled' };
      this.failures.set(keyOf(target), { planKey, error });
      return { kind: 'failed', error };
    } finally {
      this.jobs.delete(keyOf(target));
      this.options.onChange();
    }
  }

  private async runPlan(job: Job, plan: EvaluationPlan): Promise<void> {
    const { target, controller } = job;
    const watching: RequestHooks = {
      signal: controller.signal,
      onProgress: (progress) => {
        job.progress = progress;
        this.options.onChange();
      },
    };
    if (!(await this.options.confirm(target, plan, watching))) throw cancelledError(`evaluating ${target.name}`);
    const keep = await this.options.keeper(target, plan);
    await this.options.evaluate(plan, {
      ...watching,
      onResult: (result) => {
        this.failures.delete(keyOf({ uri: target.uri, name: result.metric }));
        keep(result);
      },
      onFailure: (error, index) => {
        const name = plan.evaluations[index]?.metric ?? target.name;
        const failed = { uri: target.uri, name };
        this.failures.set(keyOf(failed), { planKey: this.options.planKeyOf(failed), error });
        this.options.onChange();
      },
    });
  }
}

function keyOf({ uri, name }: Target): string {
  return `${uri}#${name}`;
}

function activityOf({ state, progress }: Job): Activity {
  return { state, ...(progress && { progress }) };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
