import { throwIfCancelled } from '../../base/errors.ts';
import type { CandidateOutcome } from './events.ts';
import type { Evaluated, Proposed } from './candidate.ts';
import type { Knowledge } from './knowledge.ts';
import { AT_THE_FOOT, promoted } from './ladder.ts';
import type { Climb } from './ladder.ts';
import { algebraicProblem, candidateEvent, climbed, reachedOutcome, sharedOutcome } from './outcomes.ts';
import type { SharedBy } from './outcomes.ts';
import type { SearchContext } from './searchContext.ts';

/** Candidates of a generation, sifted before any of them is evaluated. */
export interface Sifted {
  /** All, in the order of their ids; those that are in neither of the others are settled: they cannot rank. */
  readonly candidates: readonly Proposed[];
  /** Those to evaluate. */
  readonly contenders: readonly Proposed[];
  /** Those that share the evaluation of another one. */
  readonly followers: readonly Follower[];
}

/**
 * Evaluates the candidates of one generation and tells what became of each as soon as it is known: they climb the rungs, and poor ones
 * are stopped at each.
 *
 * @returns in the order of the ids
 */
export async function evaluateGeneration(
  { candidates, contenders, followers }: Sifted,
  context: SearchContext,
): Promise<readonly Evaluated[]> {
  await climbRungs(contenders, context);
  for (const { candidate, of, by } of followers) {
    await settle(candidate, sharedOutcome(context.knowledge.get(of)!, by), context, context.knowledge.get(of));
  }
  return candidates.map(({ id }) => context.knowledge.get(id)!);
}

export interface Follower {
  readonly candidate: Proposed;
  readonly of: number;
  readonly by: SharedBy;
}

/**
 * Settles those that cannot rank, and parts the others into those to evaluate and those that share an evaluation.
 *
 * First what algebra knows: a constant is invalid, and a candidate whose canonical form was seen waits for the one that had it
 * first. The others are probed: those that cannot rank are invalid, and those that remove the same weights as another wait for
 * that one. Of what a language model proposed, nothing that is known is evaluated again, with `sharing: off` either.
 */
export async function sift(candidates: readonly Proposed[], context: SearchContext): Promise<Sifted> {
  const { knowledge, effects, options } = context;
  const shares = context.settings.sharing === 'on';
  const contenders: Proposed[] = [];
  const followers: Follower[] = [];

  let waiting: Proposed[] = [];
  for (const candidate of candidates) {
    const problem = algebraicProblem(candidate);
    if (problem === undefined) waiting.push(candidate);
    else await settle(candidate, problem, context);
  }
  // Several rounds: a candidate whose forerunner turns out to be invalid is probed itself. In exact arithmetic they rank the
  // same; but what overflows as one is written need not do so in another spelling.
  while (waiting.length > 0) {
    const [first, later] = shares ? firstOfEachForm(waiting, knowledge) : [waiting, []];
    throwIfCancelled(options.signal, 'searching');
    const unknown = first.filter(({ probe }) => probe === undefined);
    const answers = unknown.length === 0 ? [] : await effects.probe(unknown.map(asProposal));
    const known = new Map(unknown.map(({ id }, i) => [id, answers[i]!]));
    for (const candidate of first) {
      const answer = candidate.probe ?? known.get(candidate.id)!;
      if (answer.kind === 'invalid') {
        await settle(candidate, answer, context);
        continue;
      }
      const of = knowledge.identify(candidate, answer.fingerprint);
      if ((shares || candidate.operator === 'proposed') && of !== candidate.id)
        followers.push({ candidate, of, by: 'mask' });
      else contenders.push(candidate);
    }
    waiting = [];
    for (const candidate of later) {
      const of = knowledge.forerunner(candidate);
      if (of === undefined) waiting.push(candidate);
      else followers.push({ candidate, of, by: 'canonical' });
    }
  }
  return { candidates, contenders, followers: followers.sort((a, b) => a.candidate.id - b.candidate.id) };
}

/** Those that have to be probed now, and those that have, or will then have, a forerunner of the same form. */
function firstOfEachForm(
  candidates: readonly Proposed[],
  knowledge: Knowledge,
): readonly [first: readonly Proposed[], later: readonly Proposed[]] {
  const [first, later]: [Proposed[], Proposed[]] = [[], []];
  const forms = new Set<string>();
  for (const candidate of candidates) {
    const { key, saturates } = candidate.canonical;
    const isFirst = saturates || (knowledge.forerunner(candidate) === undefined && !forms.has(key));
    if (!saturates) forms.add(key);
    (isFirst ? first : later).push(candidate);
  }
  return [first, later];
}

/** Measures rung after rung, and settles each candidate at the rung where it stops. */
async function climbRungs(contenders: readonly Proposed[], context: SearchContext): Promise<void> {
  const { rungs, knowledge, effects, options } = context;
  let climbers = new Map(contenders.map((candidate) => [candidate, AT_THE_FOOT]));
  for (const rung of rungs) {
    if (climbers.size === 0) return;
    throwIfCancelled(options.signal, 'searching');
    const answers = await effects.measure([...climbers.keys()].map(asProposal), rung);
    const reached = new Map<Proposed, Climb>();
    for (const [i, [candidate, before]] of [...climbers].entries()) {
      const after = climbed(before, answers[i]!, context);
      if (after.kind === 'invalid') await settle(candidate, after, context);
      else reached.set(candidate, after.climb);
    }
    const isLast = rung.index === rungs.length - 1;
    const goOn = isLast ? new Set() : new Set(promotedOf(reached, rung.index, context));
    climbers = new Map();
    for (const [candidate, after] of reached) {
      if (goOn.has(candidate)) climbers.set(candidate, after);
      else {
        const evaluated = await settle(candidate, reachedOutcome(after, rung, context), context);
        if (isLast) knowledge.lead(evaluated, after);
      }
    }
  }
}

/** {@link promoted}, as the search is set and by what it knows. */
export function promotedOf<Key>(
  reached: ReadonlyMap<Key, Climb>,
  rung: number,
  { knowledge, settings }: Pick<SearchContext, 'knowledge' | 'settings'>,
): readonly Key[] {
  const complete = knowledge.leaders.map((leader) => leader.climb);
  return promoted(reached, rung, settings.keep, complete, Math.max(1, settings.elites));
}

async function settle(
  candidate: Proposed,
  outcome: CandidateOutcome,
  { knowledge, effects }: SearchContext,
  like?: Evaluated,
): Promise<Evaluated> {
  const evaluated = knowledge.settle(candidate, outcome, like);
  await effects.emit(candidateEvent(evaluated));
  return evaluated;
}

function asProposal({ id, expression }: Proposed): { id: number; expression: Proposed['expression'] } {
  return { id, expression };
}
