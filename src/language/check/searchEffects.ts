import { LLM_ROLES } from '../../search/rates/llm.ts';
import type { LlmSettingName } from '../../search/rates/llm.ts';
import { idleSettings } from '../../experiment/idleSettings.ts';
import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import { argumentSpan, propertySpan } from './blockPlaces.ts';
import type { Declaration, SearchContent } from './document.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import type { PropertyName } from './property.ts';
import type { BlockContext } from './propertyReader.ts';
import { propertyOfSetting } from './settingProperties.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../../search/masks/settings.ts';
import { DEFAULT_RATE_SEARCH_SETTINGS } from '../../search/rates/settings.ts';

/** Tells which settings of a search for rates or masks change nothing, the others being what they are. It runs all the same. */
export function tellWithoutEffect(
  parsed: ParsedDeclaration,
  { llm, rates, masks }: SearchContent,
  { findings: { diagnostics } }: BlockContext,
): void {
  const tell = (why: string, ...names: readonly PropertyName[]): void => {
    for (const name of names) {
      const span = propertySpan(parsed, name);
      if (span) diagnostics.add('search/no-effect', span, `\`${name}\` has no effect: ${why}`);
    }
  };
  const { provider, ...asked } = llm;
  const { initialise, mutate, cross } = { ...DEFAULT_RATE_SEARCH_SETTINGS, ...rates };
  const isAsked = [initialise, mutate, cross].includes('llm');
  if (provider === 'none') tell('with `provider: none` nobody is asked', ...(Object.keys(asked) as LlmSettingName[]));
  else if (!isAsked) tell(`none of ${LLM_ROLES.map((role) => `\`${role}\``).join(', ')} is \`llm\``, 'provider');
  if (initialise === 'off') tell('`initialise: off` draws rates at random', 'spread');
  if (mutate === 'off') tell('`mutate: off` leaves mutation out', 'mutations', 'step');
  if (cross === 'off') tell('`cross: off` leaves crossover out', 'crossovers');
  const { centre, initial } = { ...DEFAULT_MASK_SEARCH_SETTINGS, ...masks };
  if (centre === 'step') tell('`centre: step` looks at no steps before', 'window');
  if (initial !== 'metric') tell(`\`initial: ${initial}\` begins without scores`, 'map');
}

/** Tells which settings of an evaluation change nothing about what a search evaluates. Its own `seed` is another than that of the samples. */
export function tellIdleSettings(
  parsed: ParsedDeclaration,
  search: Pick<Declaration, 'name'>,
  evaluations: readonly PlannedEvaluation[],
  { settings }: SearchContent,
  { findings: { diagnostics } }: BlockContext,
): void {
  for (const [name, why] of idleSettings(evaluations, settings)) {
    const property = propertyOfSetting(name);
    const span =
      (name === 'seed' ? undefined : propertySpan(parsed, property)) ?? argumentSpan(parsed, 'calibrate', name);
    if (span) diagnostics.add('search/no-effect', span, `\`${property}\` has no effect on \`${search.name}\`: ${why}`);
  }
}
