import { defaultsOf } from '../../src/experiment/settingRow.ts';
import type { RateTarget } from '../../src/search/rates/plan.ts';
import { EVOPRESS_SETTINGS, type EvoPressSettings } from '../../src/search/rates/evopress/settings.ts';
import { findRates, ratePlan } from './findRates.ts';
import type { Found } from './methods.ts';
import type { StudyContext } from './studyContext.ts';
import type { StudyOptions } from './studyOptions.ts';

/** EvoPress, with as many evaluations as Self-Pruner has. @param drop what goes: shares of blocks by the target, or layers as a whole */
export async function findByEvoPress(
  context: StudyContext,
  rate: number,
  target: RateTarget,
  drop: EvoPressSettings['drop'],
): Promise<Found> {
  const plan = { ...ratePlan(context, rate, target), name: 'evopress' };
  const opening = await context.engine.open({ ...plan, search: DEFAULTS });
  const search = evoPressSettings(context.options, drop, opening.blocks);
  const { evaluation, counts, text } = await findRates(context, { ...plan, search }, opening, () => {
    throw new Error('EvoPress asks no language model');
  });
  const { candidates, evaluations } = counts;
  return {
    evaluation,
    note: `${search.generations} generations, ${candidates} configurations, ${evaluations.toFixed(1)} evaluations; ${text}`,
  };
}

const DEFAULTS = defaultsOf(EVOPRESS_SETTINGS);
/** Parts of the fitness text that the rounds of selection measure on. */
const PARTS = [1 / 8, 1 / 2, 1];

/**
 * Settings with which EvoPress takes at most as many evaluations as Self-Pruner has under the same options, and less than a generation fewer.
 *
 * @param blocks of the fitness text
 */
export function evoPressSettings(
  options: Pick<StudyOptions, 'population' | 'offspring' | 'generations' | 'lambda' | 'levelStep' | 'seed'>,
  drop: EvoPressSettings['drop'],
  blocks: number,
): EvoPressSettings {
  const { lambda: offspring, levelStep: step, seed } = options;
  const rounds = PARTS.map((part) => Math.max(1, Math.round(part * blocks)));
  const survivors = [Math.ceil(offspring / 4), Math.ceil(offspring / 16), 1];
  // Parents have been on the whole text, which is what the last round measures on.
  const cost = (count: number): number =>
    rounds.reduce((sum, size, i) => sum + (Math.min(count, i > 0 ? survivors[i - 1]! : count) * size) / blocks, 0);
  const budget = options.population + options.generations * 2 * options.offspring;
  // Rates begin uniform, as a baseline that is measured already.
  const begin = drop === 'off' ? 0 : cost(DEFAULTS.starts);
  const generations = Math.max(1, Math.floor((budget - begin) / cost(offspring)));
  return { ...DEFAULTS, offspring, rounds, survivors, generations, drop, step, seed };
}
