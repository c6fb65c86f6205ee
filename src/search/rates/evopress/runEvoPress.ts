import { candidateRng } from '../../lifecycle/candidateRng.ts';
import { measuredFitness, objectiveOf } from '../../lifecycle/objective.ts';
import { statisticsOfRates } from '../measure.ts';
import type { MeasuredRates } from '../measure.ts';
import type { RateOutcome, RateSearch } from '../rateSearch.ts';
import { EvoPressKnowledge } from './knowledge.ts';
import type { Individual } from './knowledge.ts';
import { checkSwitches, levelsKey, mutated } from './levels.ts';
import type { LevelSpace } from './levels.ts';
import type { EvoPressPlan } from './plan.ts';
import { rateLevels } from './rateLevels.ts';
import { completeParent, selectParent } from './selection.ts';
import { sublayerLevels } from './sublayerLevels.ts';

/**
 * Runs EvoPress (Sieberling et al. 2024, algorithm 1): a (1 + λ) search. Each generation makes offspring of one parent by switches that keep
 * what is removed in all, and chooses the next parent among them and the old one in rounds, each on more of the fitness text and with fewer
 * that are left. Every new parent is measured on the whole text: so the best of all is known, whichever blocks chose it.
 *
 * @param baselines that are measured already
 * @throws EspalierError `settings/invalid` where no switch can be made
 */
export async function runEvoPress(
  search: RateSearch<EvoPressPlan>,
  baselines: readonly MeasuredRates[],
): Promise<RateOutcome> {
  const { effects } = search;
  const objective = objectiveOf(search.options.opening);
  const { generations, finalists } = search.plan.search;
  const space = spaceOf(search);
  const knowledge = new EvoPressKnowledge(search, baselines);

  let parent: Individual | undefined;
  for (let generation = 0; generation <= generations; generation++) {
    const proposed = propose(generation, parent, space, knowledge);
    const selected = await selectParent(generation, proposed, parent, knowledge);
    if (selected && selected !== parent && (await completeParent(generation, selected, knowledge))) parent = selected;
    // Where nothing has a finite loss yet, offspring of any may have one.
    parent ??= proposed[0];
    const [best] = knowledge.leaders;
    await effects.emit({
      kind: 'generation',
      generation,
      ...statisticsOfRates(
        proposed.map(({ id }) => knowledge.candidate(id)),
        objective,
      ),
      bestSoFar: best ? { id: best.id, ...measuredFitness(best.fitness, objective) } : null,
      counts: knowledge.counts,
    });
  }
  return { counts: knowledge.counts, finalists: knowledge.leaders.slice(0, finalists) };
}

/** The configurations of a generation: offspring of the parent; of the first generation where a search begins. No two of them are equal. */
function propose(
  generation: number,
  parent: Individual | undefined,
  space: LevelSpace,
  knowledge: EvoPressKnowledge,
): readonly Individual[] {
  const { offspring, switches, starts, drop, seed } = knowledge.search.plan.search;
  const beginning =
    drop === 'off' ? ({ operator: 'uniform', count: 1 } as const) : ({ operator: 'random', count: starts } as const);
  const { operator, count } = parent ? ({ operator: 'switch', count: offspring } as const) : beginning;
  const known = new Set(parent && [levelsKey(parent.levels)]);
  const proposed: Individual[] = [];
  while (proposed.length < count) {
    const rng = candidateRng(seed, knowledge.nextId);
    const levels = drawNew(known, () => (parent ? mutated(parent.levels, switches, space, rng) : space.draw(rng)));
    if (levels === undefined) break;
    known.add(levelsKey(levels));
    const configuration = space.configurationOf(levels);
    const parents = parent ? [parent.id] : [];
    proposed.push(knowledge.propose({ generation, operator, parents, levels, configuration }));
  }
  return proposed;
}

/**
 * Refuses what cannot be searched.
 *
 * @throws EspalierError `settings/invalid`
 */
export function checkEvoPress(search: RateSearch<EvoPressPlan>): void {
  const space = spaceOf(search);
  checkSwitches(space.draw(candidateRng(0, 0)), space, candidateRng(0, 0));
}

function spaceOf({ plan, space, options }: RateSearch<EvoPressPlan>): LevelSpace {
  const { components } = options.opening;
  return plan.search.drop === 'off'
    ? rateLevels(plan.search.step, components, space)
    : sublayerLevels(components, space.mean, space.budget?.limit);
}

/** Draws again what is there already; a space of few configurations has no new ones in the end. */
function drawNew(known: ReadonlySet<string>, draw: () => readonly number[] | undefined): readonly number[] | undefined {
  for (let tries = 0; tries < TRIES; tries++) {
    const levels = draw();
    if (levels && !known.has(levelsKey(levels))) return levels;
  }
  return undefined;
}

const TRIES = 100;
