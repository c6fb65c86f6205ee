import { throwIfCancelled } from '../../base/errors.ts';
import { sameExpression } from '../../metric/expression.ts';
import type { Expression } from '../../metric/expression.ts';
import { formOf } from './candidate.ts';
import type { Proposed } from './candidate.ts';
import type { MetricEffects, MetricSearchOptions } from './effects.ts';
import type { ProbeOutcome } from './events.ts';
import type { Knowledge } from './knowledge.ts';
import { FIRST_STEP, stepped } from './tuning.ts';
import type { Tuning } from './tuning.ts';

/** Probes for one candidate, at most: the share of a mask that changes is nearly in proportion to the step, so that two will mostly do. */
const TRIALS = 4;
/** A share this many times off is near enough. */
const NEAR = 2;
/** Most that a step grows or shrinks by from one trial to the next: the first may have changed nothing at all. */
const LEAP = 8;

/** Whom trials are put to, and what masks are known. */
interface Asking {
  readonly effects: Pick<MetricEffects, 'probe'>;
  readonly options: Pick<MetricSearchOptions, 'signal'>;
  readonly knowledge: Pick<Knowledge, 'hasMask'>;
}

/** A step that was tried. */
export interface TunedTrial {
  readonly step: number;
  readonly expression: Expression;
  readonly probe: ProbeOutcome;
}

/**
 * Finds the step of each candidate that tunes a constant, by probes alone: nothing is evaluated. A step that changes no mask is followed
 * by a larger one, one that changes too much by a smaller one; of those that were tried the one that comes nearest to the target is the
 * candidate. Where none changes anything, the largest is, and shares the evaluation of what it was made of. All are asked round by round, so
 * that workers have something to do and the answers come in the same order in every run.
 *
 * @param target share of the probed weights whose fate is to change
 */
export async function tuneConstants(
  proposed: readonly Proposed[],
  target: number,
  { effects, options, knowledge }: Asking,
): Promise<readonly Proposed[]> {
  const trials = new Map<Proposed, TunedTrial[]>();
  for (const candidate of proposed) if (candidate.tuning) trials.set(candidate, []);
  for (let trial = 0; trial < TRIALS; trial++) {
    const open = [...trials].flatMap(([candidate, tried]) => {
      const next = nextTrial(candidate.tuning!, tried, target, knowledge);
      return next ? [{ candidate, ...next }] : [];
    });
    if (open.length === 0) break;
    throwIfCancelled(options.signal, 'searching');
    const asked = open.map(({ candidate: { id, tuning }, expression }) => ({
      ...{ id, expression, trial, against: tuning!.of },
    }));
    const answers = await effects.probe(asked);
    for (const [i, { candidate, step, expression }] of open.entries()) {
      trials.get(candidate)!.push({ step, expression, probe: answers[i]! });
    }
  }
  return proposed.map((candidate) => {
    const tried = trials.get(candidate);
    return tried ? tunedBy(candidate, candidate.tuning!, tried, target, knowledge) : candidate;
  });
}

/** What is to be probed next of a candidate that tunes a constant; undefined where what was tried will do, or nothing more can be. */
export function nextTrial(
  tuning: Tuning,
  tried: readonly TunedTrial[],
  target: number,
  knowledge: Pick<Knowledge, 'hasMask'>,
): Omit<TunedTrial, 'probe'> | undefined {
  if (tried.length === TRIALS) return undefined;
  const step = nextStep(tried, target * tuning.reach, isNewTo(knowledge));
  if (step === undefined) return undefined;
  const expression = stepped(tuning, step);
  // At the end of the grid, or of the limits, a further step is none.
  return tried.some((other) => sameExpression(other.expression, expression)) ? undefined : { step, expression };
}

/** The candidate with the best of the steps that were tried: at least one. */
export function tunedBy(
  candidate: Proposed,
  tuning: Tuning,
  tried: readonly TunedTrial[],
  target: number,
  knowledge: Pick<Knowledge, 'hasMask'>,
): Proposed {
  const { expression, probe } = chosen(tried, target * tuning.reach, isNewTo(knowledge));
  return { ...candidate, ...formOf(expression), probe };
}

function isNewTo(knowledge: Pick<Knowledge, 'hasMask'>): (trial: TunedTrial) => boolean {
  return ({ probe }) => probe.kind === 'ranks' && !knowledge.hasMask(probe.fingerprint);
}

/** Undefined where a step that was tried will do. */
function nextStep(
  tried: readonly TunedTrial[],
  target: number,
  isNew: (trial: TunedTrial) => boolean,
): number | undefined {
  if (tried.length === 0) return FIRST_STEP;
  if (tried.some((trial) => isNew(trial) && distance(trial, target) <= Math.log(NEAR))) return undefined;
  const still = Math.max(0, ...tried.filter((trial) => changeOf(trial) === 0).map(({ step }) => step));
  const invalid = Math.min(Infinity, ...tried.filter(({ probe }) => probe.kind === 'invalid').map(({ step }) => step));
  const moved = tried.findLast((trial) => changeOf(trial)! > 0);
  if (moved === undefined) {
    if (invalid === Infinity) return still * LEAP;
    return still > 0 ? Math.sqrt(still * invalid) : invalid / LEAP;
  }
  const ratio = Math.min(LEAP, Math.max(1 / LEAP, target / changeOf(moved)!));
  // Just right, but somebody else's mask: further on may be a new one.
  const wanted = moved.step * (distance(moved, target) <= Math.log(NEAR) ? NEAR : ratio);
  if (wanted <= still) return Math.sqrt(still * moved.step);
  return wanted < invalid ? wanted : Math.sqrt(moved.step * invalid);
}

/** What comes nearest of what is new; otherwise the last that can rank, which will share an evaluation, or else the last of all. */
function chosen(tried: readonly TunedTrial[], target: number, isNew: (trial: TunedTrial) => boolean): TunedTrial {
  const fresh = tried.filter((trial) => isNew(trial) && changeOf(trial)! > 0);
  if (fresh.length === 0) {
    const ranks = tried.filter(({ probe }) => probe.kind === 'ranks');
    return ranks.findLast((trial) => changeOf(trial)! > 0) ?? ranks.at(-1) ?? tried.at(-1)!;
  }
  return fresh.reduce((best, trial) => (distance(trial, target) < distance(best, target) ? trial : best));
}

/** Share of the probed weights whose fate it changes; undefined where it cannot rank. */
function changeOf({ probe }: TunedTrial): number | undefined {
  return probe.kind === 'ranks' ? (probe.changed ?? 0) : undefined;
}

/** Between the shares that change and should, as the logarithm of their ratio; infinite where nothing changes. */
function distance(trial: TunedTrial, target: number): number {
  return Math.abs(Math.log((changeOf(trial) ?? 0) / target));
}
