import { OWL, UNIFORM } from '../../experiment/structure.ts';
import type { NamedRates } from './plan.ts';

/** What a search for rates is compared with when nobody says. */
export const DEFAULT_RATE_BASELINES: readonly NamedRates[] = [
  { name: 'uniform', rates: UNIFORM },
  { name: 'owl', rates: OWL },
];
