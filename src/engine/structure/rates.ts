import { EspalierError } from '../../base/errors.ts';

/**
 * OWL's rates (Yin et al. 2024): β − (D′ − mean D′), with D′ the outlier shares stretched to [0, 2λ]. Rates that would leave [0, 1] end
 * there, and the others move so that the mean stays β.
 *
 * @param outliers share of each block
 * @param rate β
 * @param spread λ
 */
export function owlRates(outliers: readonly number[], rate: number, spread: number): number[] {
  const [low, high] = [Math.min(...outliers), Math.max(...outliers)];
  if (high === low) return outliers.map(() => rate);
  const stretched = outliers.map((share) => ((share - low) / (high - low)) * 2 * spread);
  const mean = stretched.reduce((sum, value) => sum + value, 0) / stretched.length;
  return withMean(
    stretched.map((value) => rate - (value - mean)),
    rate,
  );
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

/** The same shift for all that are not at an end, so that their mean in [0, 1] is as asked for. */
function withMean(values: readonly number[], mean: number): number[] {
  const clamp = (value: number): number => Math.min(1, Math.max(0, value));
  if (values.every((value) => clamp(value) === value)) return [...values];
  let [low, high] = [Math.min(...values) - 1, Math.max(...values)];
  // The mean falls as the shift grows: halve the bracket until doubles have nothing in between.
  for (;;) {
    const shift = low + (high - low) / 2;
    if (shift <= low || shift >= high) return values.map((value) => clamp(value - shift));
    const sum = values.reduce((total, value) => total + clamp(value - shift), 0);
    if (sum > mean * values.length) low = shift;
    else high = shift;
  }
}
