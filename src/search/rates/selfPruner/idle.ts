import type { IdleSearchSettings } from '../../idle.ts';
import type { LlmSettings } from '../../llm/settings.ts';
import { RATE_ROLES } from './roles.ts';
import type { SelfPrunerSettings } from './settings.ts';

/** What changes nothing in a search by Self-Pruner. */
export function idleInSelfPruner(
  { initialise, mutate, cross }: SelfPrunerSettings,
  { llm: { provider, ...asked } }: { readonly llm: Partial<LlmSettings> },
): readonly IdleSearchSettings[] {
  const isAsked = [initialise, mutate, cross].includes('llm');
  const roles = RATE_ROLES.map((role) => `\`${role}\``).join(', ');
  return [
    ...(provider === 'none' ? [{ names: Object.keys(asked), why: 'with `provider: none` nobody is asked' }] : []),
    ...(provider !== 'none' && !isAsked ? [{ names: ['provider'], why: `none of ${roles} is \`llm\`` }] : []),
    ...(initialise === 'off' ? [{ names: ['spread'], why: '`initialise: off` draws rates at random' }] : []),
    ...(mutate === 'off' ? [{ names: ['mutations', 'step'], why: '`mutate: off` leaves mutation out' }] : []),
    ...(cross === 'off' ? [{ names: ['crossovers'], why: '`cross: off` leaves crossover out' }] : []),
  ];
}
