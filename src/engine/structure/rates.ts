import { EspalierError } from '../../base/errors.ts';
import { projectionShift, shifted } from '../../base/projection.ts';

/**
 * OWL's rates (Yin et al. 2024): β − (D′ − mean D′), with D′ the outlier shares stretched to [0, 2λ]. Rates that would leave [0, 1] end
 * there, and the others move so that the mean stays β. Means weigh blocks by their size, and one that has nothing left says nothing:
 * of blocks of one size, as a published model has them, that is the paper's formula.
 *
 * @param outliers share of each block
 * @param weights of each block's linear layers
 * @param rate β
 * @param spread λ
 */
export function owlRates(
  outliers: readonly number[],
  weights: readonly number[],
  rate: number,
  spread: number,
): number[] {
  const shares = outliers.filter((_, index) => weights[index]! > 0);
  const [low, high] = [Math.min(...shares), Math.max(...shares)];
  if (high === low) return outliers.map(() => rate);
  const stretched = outliers.map((share) => ((share - low) / (high - low)) * 2 * spread);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = stretched.reduce((sum, value, index) => sum + weights[index]! * value, 0) / total;
  const values = stretched.map((value) => rate - (value - mean));
  const shift = projectionShift(values, rate * total, weights);
  return values.map((value) => shifted(value, shift));
}

/**
 * Rates that were asked for, checked.
 *
 * @throws EspalierError `settings/invalid`
 */
export function givenRates(rates: readonly number[], depth: number): readonly number[] {
  const wrong = rates.find((rate) => !(rate >= 0 && rate <= 1));
  if (rates.length === depth && wrong === undefined) return rates;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'reading the rates of the blocks',
    expected: `${depth} rates from 0 to 1, one for each block`,
    actual: rates.length === depth ? `a rate of ${wrong}` : `${rates.length} rates`,
    remedy: `Give ${depth} rates, or choose an allocation: uniform or owl.`,
  });
}
