import { Rng } from '../../src/base/rng.ts';
import { defaultsOf } from '../../src/experiment/settingRow.ts';
import type { RateCandidate, RateCounts, RateEvent } from '../../src/search/rates/events.ts';
import { mutated } from '../../src/search/rates/evopress/levels.ts';
import { dropsLayers } from '../../src/search/rates/evopress/plan.ts';
import type { EvoPressPlan } from '../../src/search/rates/evopress/plan.ts';
import { rateLevels } from '../../src/search/rates/evopress/rateLevels.ts';
import { EVOPRESS_SETTINGS } from '../../src/search/rates/evopress/settings.ts';
import type { EvoPressSettings } from '../../src/search/rates/evopress/settings.ts';
import { sublayerLevels } from '../../src/search/rates/evopress/sublayerLevels.ts';
import { statisticsOfRates } from '../../src/search/rates/measure.ts';
import { rateSpace } from '../../src/search/rates/rates.ts';
import { NO_LIST_COUNTS } from '../../src/search/rates/selfPruner/listAccount.ts';
import { BLOCKS, both, fitness, measured, opening, recorder, SHARE, syntheticRatePlan } from './syntheticStructure.ts';
import type { SyntheticRatesOptions, Timed } from './syntheticStructure.ts';

export function syntheticEvoPressPlan(search: Partial<EvoPressSettings> = {}): EvoPressPlan {
  const { name, model, text, sparsity, target, baselines, settings } = syntheticRatePlan();
  const common = { kind: 'rates', name, model, text, sparsity, target, baselines, settings } as const;
  return { ...common, search: { ...defaultsOf(EVOPRESS_SETTINGS), rounds: [4, 16, 64], ...search } };
}

/** Events of a search by EvoPress that never was: most of its configurations are stopped early. */
export function syntheticEvoPress(
  plan: EvoPressPlan,
  { seed = 1, until, blocks = 6 }: Omit<SyntheticRatesOptions, 'refused'> = {},
): Timed<RateEvent>[] {
  const { offspring, starts, switches, step, generations, rounds, survivors, finalists } = plan.search;
  const rng = new Rng(seed);
  const { emit, events } = recorder<RateEvent>();
  const open = opening(blocks, true);
  const baselines = [
    { name: 'uniform', rates: Array<number>(blocks).fill(SHARE) },
    { name: 'owl', rates: open.owl! },
  ];
  const space = dropsLayers(plan)
    ? sublayerLevels(open.components, SHARE)
    : rateLevels(step, open.components, rateSpace(open.components, SHARE));
  emit({ kind: 'opened', ...open }, 4200);
  for (const [i, { name, rates }] of baselines.entries()) {
    emit(measured(-1 - i, fitness(rates)), 900);
    emit({ kind: 'baseline', id: -1 - i, name, rates, perplexity: fitness(rates) }, 5);
  }
  const all: RateCandidate[] = [];
  const tally = { candidates: 0, evaluations: 0, duplicates: 0, invalid: 0 };
  const counts = (): RateCounts => ({ ...NO_LIST_COUNTS, ...tally });
  const ranking: { readonly id: number; readonly rates: readonly number[]; readonly perplexity: number }[] = [];
  let parent: { readonly id: number; readonly levels: readonly number[]; readonly perplexity: number } | undefined;
  for (let generation = 0; generation <= (until ?? generations); generation++) {
    const count = generation > 0 ? offspring : dropsLayers(plan) ? starts : 1;
    const proposed = Array.from({ length: count }, () => {
      const levels = parent ? mutated(parent.levels, switches, space, rng)! : space.draw(rng);
      const configuration = space.configurationOf(levels);
      const perplexity = fitness(configuration.rates) * (1 + 0.004 * rng.uniform());
      return { id: tally.candidates++, levels, configuration, perplexity };
    });
    const ranked = [...proposed].sort((a, b) => a.perplexity - b.perplexity);
    for (const { id, configuration, perplexity } of ranked.toReversed()) {
      const place = ranked.findIndex((each) => each.id === id);
      const round = survivors.findIndex((left) => place >= left);
      const isStopped = round !== -1 && round < rounds.length - 1;
      const outcome: RateCandidate['outcome'] = isStopped
        ? {
            kind: 'stopped',
            rung: round,
            blocks: rounds[round]!,
            perplexity: perplexity * (0.97 + 0.06 * rng.uniform()),
          }
        : { kind: 'full', perplexity };
      emit(measured(id, perplexity, isStopped ? rounds[round]! : BLOCKS), 700);
      tally.evaluations += (isStopped ? rounds[round]! : BLOCKS) / BLOCKS;
      const made = parent
        ? { operator: 'switch' as const, parents: [parent.id] }
        : { operator: MADE[plan.search.drop] };
      const candidate: RateCandidate = { id, generation, parents: [], ...made, ...configuration, outcome };
      all.push(candidate);
      emit({ kind: 'candidate', ...candidate }, 5);
      if (!isStopped) ranking.push({ id, rates: configuration.rates, perplexity });
    }
    ranking.sort((a, b) => a.perplexity - b.perplexity);
    const [first] = ranked;
    if (!parent || first!.perplexity <= parent.perplexity) parent = first;
    const statistics = statisticsOfRates(
      all.filter((each) => each.generation === generation),
      'perplexity',
    );
    const { id, perplexity } = ranking[0]!;
    emit({ kind: 'generation', generation, ...statistics, bestSoFar: { id, perplexity }, counts: counts() }, 10);
  }
  if (until !== undefined) return events;
  const best = ranking.slice(0, finalists);
  for (const { id, rates, perplexity } of best)
    emit({ kind: 'finalist', id, name: `#${id}`, ...both(perplexity, rates) }, 3100);
  for (const { name, rates } of baselines) emit({ kind: 'finalist', name, ...both(fitness(rates), rates) }, 2800);
  emit({ kind: 'finished', counts: counts(), best: best.map(({ id }) => id) }, 10);
  return events;
}

const MADE = { off: 'uniform', sublayers: 'random' } as const;
