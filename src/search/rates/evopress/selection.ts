import { throwIfCancelled } from '../../../base/errors.ts';
import { candidateRng } from '../../lifecycle/candidateRng.ts';
import type { Rung } from '../../lifecycle/rung.ts';
import { wholeText } from '../measure.ts';
import type { EvoPressKnowledge, Individual } from './knowledge.ts';
import type { EvoPressPlan } from './plan.ts';

/**
 * Who is the next parent: rounds of selection, each on blocks of its own of the fitness text, more of them than the round before, of which the
 * better ones go on. The old parent joins the last round alone; of equals the new one is chosen, so that a search wanders where many
 * configurations come to the same model.
 *
 * @returns undefined where nothing has a finite loss
 */
export async function selectParent(
  generation: number,
  offspring: readonly Individual[],
  parent: Individual | undefined,
  knowledge: EvoPressKnowledge,
): Promise<Individual | undefined> {
  const { search } = knowledge;
  const { survivors } = search.plan.search;
  const rungs = rungsOf(generation, search);
  let left = offspring;
  for (const [round, rung] of rungs.entries()) {
    const isLast = round === rungs.length - 1;
    const contenders = isLast && parent ? [...left, parent] : left;
    // Nobody would be left out.
    if (contenders.length <= survivors[round]!) continue;
    throwIfCancelled(search.options.signal, 'searching');
    const losses = await knowledge.measure(contenders, rung);
    const ranked = contenders
      .filter((each) => losses.has(each))
      .sort((a, b) => losses.get(a)! - losses.get(b)!)
      .slice(0, survivors[round]);
    // The next parent is settled when it has been measured on the whole text.
    const stay = new Set(ranked);
    await knowledge.settle(
      left.filter((each) => !stay.has(each)),
      round,
    );
    left = ranked;
  }
  return left[0];
}

/** Measures the next parent on the whole text, if it has not been there. @returns whether its loss there is finite */
export async function completeParent(
  generation: number,
  parent: Individual,
  knowledge: EvoPressKnowledge,
): Promise<boolean> {
  const { plan, options } = knowledge.search;
  const round = plan.search.rounds.length;
  throwIfCancelled(options.signal, 'searching');
  const losses = await knowledge.measure([parent], {
    ...wholeText(options.opening),
    index: indexOf(generation, round, plan),
  });
  await knowledge.settle([parent], round);
  return losses.has(parent);
}

/** The blocks of each round, as many as the plan says, at a place of their own in each generation. */
function rungsOf(generation: number, { plan, options }: EvoPressKnowledge['search']): readonly Rung[] {
  const { blocks } = options.opening;
  const rng = candidateRng(plan.search.seed, -1 - generation);
  return plan.search.rounds.map((wanted, round) => {
    const size = Math.min(wanted, blocks);
    // Rungs visit blocks from all over the text: any few that follow each other are spread over it.
    const begin = rng.integer(blocks - size + 1);
    return { index: indexOf(generation, round, plan), begin, end: begin + size };
  });
}

/** Of a rung, different in each round of each generation: a journal knows a measurement by its candidate and by this. */
function indexOf(generation: number, round: number, { search }: EvoPressPlan): number {
  return generation * (search.rounds.length + 1) + round;
}
