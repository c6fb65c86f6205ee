import { DEFAULT_SEARCH_METHOD, SEARCH_METHODS } from '../../search/methods.ts';
import { protocolSettings } from '../../experiment/protocols.ts';
import { needsGradient } from '../../experiment/planned.ts';
import { idleSettings } from '../../experiment/idleSettings.ts';
import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import { argumentSpan, propertyNamed, propertySpan } from './blockPlaces.ts';
import { shift } from './diagnostics.ts';
import { CALIBRATE, GRADIENTS } from './inputProperties.ts';
import type { Declaration, SearchContent } from './document.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import type { BlockContext } from './propertyReader.ts';
import { propertyOfSetting } from './settingProperties.ts';

/** Tells which settings of a search change nothing, the others being what they are. It runs all the same. */
export function tellWithoutEffect(
  parsed: ParsedDeclaration,
  { method = DEFAULT_SEARCH_METHOD, search, llm }: SearchContent,
  { findings: { diagnostics } }: BlockContext,
): void {
  for (const { names, why } of SEARCH_METHODS[method].idle(search, { llm })) {
    for (const name of names) {
      const span = propertySpan(parsed, name);
      if (span) diagnostics.add('search/no-effect', span, `\`${name}\` has no effect: ${why}`);
    }
  }
}

/** Tells which settings of an evaluation change nothing about what a search evaluates. Its own `seed` is another than that of the samples. */
export function tellIdleSettings(
  parsed: ParsedDeclaration,
  search: Pick<Declaration, 'name'>,
  evaluations: readonly PlannedEvaluation[],
  { protocol, settings }: SearchContent,
  { findings: { diagnostics } }: BlockContext,
): void {
  const gradients = propertyNamed(parsed, 'gradients');
  const takesG = evaluations.some(needsGradient);
  if (gradients && !takesG) {
    const span = shift(gradients.tree.syntax.key.span, gradients.base);
    diagnostics.add(
      'search/no-effect',
      span,
      `\`gradients\` has no effect on \`${search.name}\`: nothing takes gradients`,
    );
  }
  for (const [name, why] of idleSettings(evaluations, { ...protocolSettings(protocol), ...settings })) {
    const property = propertyOfSetting(name);
    const span =
      (name === 'seed' ? undefined : propertySpan(parsed, property)) ??
      argumentSpan(parsed, CALIBRATE, name) ??
      (takesG ? argumentSpan(parsed, GRADIENTS, name) : undefined);
    if (span) diagnostics.add('search/no-effect', span, `\`${property}\` has no effect on \`${search.name}\`: ${why}`);
  }
}
