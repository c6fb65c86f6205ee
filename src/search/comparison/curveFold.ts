import { printInfix } from '../../metric/print.ts';
import { parsePrefix } from '../../metric/parsePrefix.ts';
import { formatShare } from '../../experiment/format.ts';
import { foldEvent, newState } from '../folds.ts';
import type { AnySearchState } from '../folds.ts';
import type { EventOf, RunEvent, RunKind, RunPlan } from '../kinds.ts';
import { fitnessIn } from '../lifecycle/objective.ts';
import { fitnessOf } from '../lifecycle/outcome.ts';
import { tick } from '../lifecycle/state.ts';
import type { Growing, SearchState } from '../lifecycle/state.ts';
import { configurationText } from '../rates/configuration.ts';
import type { CurvePoint, RunCurve } from './curve.ts';

/** A line of a journal, looked at from both ends. */
export interface EventLine {
  readonly kind: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** A few hundred characters behind the kind, where the event goes on. */
  readonly head: string;
  /** Its last characters. */
  readonly tail: () => string;
}

/**
 * The best so far of a run, of any kind, for beside those of others. Of a search it needs few of the events whole: those of candidates
 * that are no new best, and of measurements, are counted as they pass. What it comes to is what the folds of whole events come to.
 */
export class CurveFold {
  /** Without candidates, steps and requests. */
  readonly state: AnySearchState;
  readonly plan: RunPlan;
  private readonly points: CurvePoint[] = [];
  /** Candidates whose fitness is an estimate: who shares it has no better one. */
  private readonly stopped = new Set<number>();
  private evaluations = 0;
  private steps = 0;
  private found = '';

  constructor(plan: RunPlan) {
    this.plan = plan;
    this.state = newState(plan.kind);
  }

  get curve(): RunCurve {
    return { points: this.points, end: this.cost() };
  }

  /** What the best is, for a person; empty while there is none. */
  get best(): string {
    return this.found;
  }

  /** Takes what it needs off the ends of a line; false where it has to be folded as a whole. */
  passes(line: EventLine): boolean {
    const pass = PASSES[this.plan.kind][line.kind];
    if (!pass || !this[pass](line)) return false;
    tick(this.growing, line.kind, line.at);
    return true;
  }

  fold(event: RunEvent, at: number): void {
    if (event.kind === 'candidate') {
      tick(this.growing, event.kind, at);
      this.candidate(event);
      return;
    }
    if (event.kind === 'measured') {
      tick(this.growing, event.kind, at);
      if (event.id >= 0) this.worked(event.measure.kind === 'loss' ? event.measure.blocks : undefined);
      return;
    }
    foldEvent(this.state, event, at);
    if (event.kind === 'generation') {
      this.evaluations = event.counts.evaluations;
      this.steps = event.generation + 1;
    } else if (event.kind === 'step') this.steps = Math.max(this.steps, event.step + 1);
    else if (event.kind === 'trained') this.steps = Math.max(this.steps, event.from + event.losses.length);
    else if (event.kind === 'probabilities') this.checkpoint(event);
    else if (event.kind === 'validated' || event.kind === 'opened') this.validation();
  }

  /** Nothing of it is needed. */
  protected ignore(): boolean {
    return true;
  }

  protected measured({ head }: EventLine): boolean {
    const [, id, blocks] = MEASURED.exec(head) ?? [];
    if (id === undefined) return false;
    if (!id.startsWith('-')) this.worked(Number(blocks));
    return true;
  }

  /** Whether it is no new best. */
  protected settled({ head, tail }: EventLine): boolean {
    const id = CANDIDATE.exec(head)?.[1];
    const [, kind, fitness] = OUTCOME.exec(head) ?? OUTCOME.exec(tail()) ?? [];
    if (id === undefined || kind === undefined) return false;
    if (kind === 'stopped') this.stopped.add(Number(id));
    return kind === 'stopped' || fitness === undefined || Number(fitness) >= this.lowest;
  }

  protected step({ head }: EventLine): boolean {
    const step = STEP.exec(head)?.[1];
    if (step === undefined) return false;
    this.steps = Math.max(this.steps, Number(step) + 1);
    return true;
  }

  private get lowest(): number {
    return this.points.at(-1)?.fitness ?? Infinity;
  }

  private get growing(): Growing<SearchState<unknown, unknown>> {
    // It is this one's own.
    return this.state as unknown as Growing<SearchState<unknown, unknown>>;
  }

  private candidate(event: EventOf<'metrics' | 'rates'> & { readonly kind: 'candidate' }): void {
    const { id, generation, outcome } = event;
    if (outcome.kind === 'stopped') this.stopped.add(id);
    const isEstimate = outcome.kind === 'stopped' || (outcome.kind === 'shared' && this.stopped.has(outcome.of));
    const fitness = fitnessOf(event);
    if (isEstimate || fitness === undefined) return;
    if (this.improve(fitness, { ...this.cost(), steps: generation + 1 }))
      this.found = 'expression' in event ? infix(event.expression) : configurationText(event);
  }

  /** Masks by the probabilities that stand before a step. */
  private checkpoint(event: EventOf<'masks'> & { readonly kind: 'probabilities' }): void {
    this.steps = Math.max(this.steps, event.step);
    this.evaluations++;
    const fitness = fitnessIn(event);
    if (fitness !== undefined && this.improve(fitness, this.cost()))
      this.found = `without ${formatShare(event.removed)} of the blocks’ weights`;
  }

  /** A look at the held-out text; the first is before any step. */
  private validation(): void {
    if (this.state.kind !== 'recovery') return;
    const look = this.state.validations.at(-1);
    if (!look) return;
    this.steps = Math.max(this.steps, look.step);
    if (look.perplexity !== null && this.improve(look.perplexity, { ...this.cost(), steps: look.step }))
      this.found = `after ${look.step} steps`;
  }

  private improve(fitness: number, cost: RunCurve['end']): boolean {
    if (fitness >= this.lowest) return false;
    this.points.push({ fitness, ...cost });
    return true;
  }

  /** @param blocks of the fitness text; undefined for what failed, which took as much as one that did not where rates are searched */
  private worked(blocks: number | undefined): void {
    const { opening } = this.state;
    if (blocks === undefined) this.evaluations += this.plan.kind === 'rates' ? 1 : 0;
    else if (opening) this.evaluations += blocks / opening.blocks;
  }

  private cost(): RunCurve['end'] {
    const { plan, steps } = this;
    const seconds = this.state.times.worked / 1000;
    if (plan.kind === 'recovery') return { evaluations: null, seconds, steps };
    const ofMasks = plan.kind === 'masks' ? steps * stepWork(this.state, plan) : 0;
    return { evaluations: this.evaluations + ofMasks, seconds, steps };
  }
}

/** What a step of a search for masks goes through, in units of the whole fitness text: tokens, or documents of the tasks. */
function stepWork({ opening }: AnySearchState, { search, settings }: Extract<RunPlan, { kind: 'masks' }>): number {
  if (!opening) return 0;
  const { masks, batch, tokens, objective } = search;
  const whole = objective === 'tasks' ? opening.blocks : opening.blocks * (settings.length || tokens);
  return (masks * batch * (objective === 'tasks' ? 1 : tokens)) / whole;
}

function infix(prefix: string): string {
  return printInfix(parsePrefix(prefix));
}

/** What is done with a line by the kind of its event; events that are not listed are folded as a whole. */
type Pass = 'ignore' | 'measured' | 'settled' | 'step';
const ASKING = { 'llm-asked': 'ignore', 'llm-replied': 'ignore', fallback: 'ignore' } as const;
const PASSES: Readonly<Record<RunKind, Readonly<Partial<Record<string, Pass>>>>> = {
  metrics: {
    ...ASKING,
    ...{ probed: 'ignore', workers: 'ignore', proposed: 'ignore', measured: 'measured', candidate: 'settled' },
  },
  rates: { ...ASKING, measured: 'measured', candidate: 'settled' },
  masks: { scores: 'ignore', step: 'step' },
  recovery: {},
};

const MEASURED = /^,"id":(-?\d+),"rung":\d+,"measure":\{"kind":"loss","blocks":(\d+),/;
const CANDIDATE = /^,"id":(\d+),/;
/** What became of it: of a metric that stands before its expression, of rates behind them. An invalid one has no fitness. */
const OUTCOME =
  /"outcome":\{"kind":"(invalid|(?:full|stopped|shared)(?=",(?:"(?:of|rung|blocks)":-?\d+,|"by":"[a-z]+",)*"(?:perplexity|kl|taskLoss)":([-+.\deE]+)[,}]))"/;
const STEP = /^,"step":(\d+),/;
