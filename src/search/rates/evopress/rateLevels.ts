import { formatShare } from '../../../experiment/format.ts';
import { blockWeights } from '../../../experiment/components.ts';
import type { BlockComponents } from '../../../experiment/structureSchema.ts';
import { projectRates } from '../rates.ts';
import type { RateSpace } from '../rates.ts';
import { equalUnits } from './levels.ts';
import type { LevelSpace } from './levels.ts';

/** Of rates, which have five decimals. */
const UNITS = 100_000;

/**
 * The rates of blocks as levels, in units of 1e-5. All begin uniform.
 *
 * @param step by how much one switch changes a rate
 */
export function rateLevels(step: number, components: readonly BlockComponents[], space: RateSpace): LevelSpace {
  const uniform = projectRates(
    components.map(() => space.mean),
    space,
  );
  const start = uniform.map((rate) => Math.round(rate * UNITS));
  return {
    groups: equalUnits(components.map(blockWeights)),
    step: Math.round(step * UNITS),
    top: UNITS,
    draw: () => start,
    configurationOf: (levels) => ({ rates: levels.map((level) => level / UNITS) }),
    needs: {
      expected: `two blocks of equal size, of which one can lose ${formatShare(step)} more and the other as much less`,
      remedy: 'Choose another sparsity, or a smaller step.',
    },
  };
}
