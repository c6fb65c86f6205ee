import { OWL, STRUCTURE_METHODS } from './structure.ts';
import type { RateAllocation, StructureScore } from './structureSchema.ts';
import type { StructureMethod } from './structure.ts';

export function isStructureMethod(text: string): text is StructureMethod {
  return Object.hasOwn(STRUCTURE_METHODS, text);
}

/** Whether a method removes heads and channels, of which rates say how much goes of each block, and not whole blocks or experts. */
export function removesComponents(method: StructureMethod): boolean {
  return STRUCTURE_METHODS[method].removes === 'components';
}

/**
 * What tables and charts call what removes components: `wanda-sp`, `components by mine`, `wanda-sp (owl)`. A metric may prune single
 * weights in the same experiment, so that its name alone would not tell the two apart.
 *
 * @param name of the metric, as the user wrote it
 */
export function structureName(score: StructureScore, name: string, rates: RateAllocation): string {
  return nameWithRates(score.kind === 'method' ? score.method : `components by ${name}`, rates);
}

/** `wanda (owl)`; a name whose rates are uniform stays as it is. */
export function nameWithRates(name: string, rates: RateAllocation): string {
  return rates.kind === 'uniform' ? name : `${name} (${ratesName(rates)})`;
}

/** `uniform`, `owl`, `owl 7 0.1` where it has settings of its own, `global`, `[0.2, 0.4]`; of long lists the ends. */
export function ratesName(rates: RateAllocation): string {
  switch (rates.kind) {
    case 'uniform':
    case 'global':
      return rates.kind;
    case 'owl':
      return rates.multiple === OWL.multiple && rates.spread === OWL.spread
        ? 'owl'
        : `owl ${rates.multiple} ${rates.spread}`;
    case 'given': {
      const listed = rates.rates.length <= MAX_LISTED ? rates.rates : [rates.rates[0], '…', rates.rates.at(-1)];
      return `[${listed.join(', ')}]`;
    }
  }
}

const MAX_LISTED = 4;

/** Mean over the blocks: what rates that are given remove. */
export function meanRate(rates: readonly number[]): number {
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}
