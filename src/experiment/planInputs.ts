import { EspalierError } from '../base/errors.ts';
import type { PlanInputs, TextInputs } from './planSchema.ts';

/** What a plan of any kind works on, without what it does there. */
export function planInputs(plan: TextInputs): TextInputs;
export function planInputs(plan: PlanInputs): PlanInputs;
export function planInputs(plan: PlanInputs): PlanInputs {
  const { model, text, calibration, gradients, train, validate, rows, protocol, times, settings } = plan;
  return {
    model,
    ...(text !== undefined && { text }),
    ...(calibration !== undefined && { calibration }),
    ...(gradients !== undefined && { gradients }),
    ...(train !== undefined && { train }),
    ...(validate !== undefined && { validate }),
    ...(rows !== undefined && { rows }),
    ...(protocol !== undefined && { protocol }),
    ...(times !== undefined && { times }),
    settings,
  };
}

/** The same on the text that a search never sees, which is evaluated as its fitness text is. */
export function onTestText(plan: PlanInputs, test: string): TextInputs {
  const { rows = {}, ...inputs } = planInputs(plan);
  const others = Object.entries(rows).filter(([name]) => name !== 'text');
  const ofText = Object.fromEntries(others.map(([name, said]) => [name === 'test' ? 'text' : name, said]));
  return { ...inputs, text: test, ...(Object.keys(ofText).length > 0 && { rows: ofText }) };
}

/**
 * The same plan, where it has a text.
 *
 * @param operation for the error, "exporting"
 * @throws EspalierError `settings/invalid` where it has none
 */
export function withText<Plan extends PlanInputs>(plan: Plan, operation: string): Plan & { readonly text: string } {
  const { text } = plan;
  if (text !== undefined) return { ...plan, text };
  throw new EspalierError({
    code: 'settings/invalid',
    operation,
    expected: 'a text to take the perplexity on',
    actual: 'none',
    remedy: 'Name one: `evaluate: "text.txt"`, or --text.',
  });
}
