import type { PlanInputs } from './planSchema.ts';

/** What a plan of any kind works on, without what it does there. */
export function planInputs(plan: PlanInputs): PlanInputs {
  const { model, text, calibration, gradients, train, validate, rows, protocol, settings } = plan;
  return {
    model,
    text,
    ...(calibration !== undefined && { calibration }),
    ...(gradients !== undefined && { gradients }),
    ...(train !== undefined && { train }),
    ...(validate !== undefined && { validate }),
    ...(rows !== undefined && { rows }),
    ...(protocol !== undefined && { protocol }),
    settings,
  };
}

/** The same on the text that a search never sees, which is evaluated as its fitness text is. */
export function onTestText(plan: PlanInputs, test: string): PlanInputs {
  const { rows = {}, ...inputs } = planInputs(plan);
  const others = Object.entries(rows).filter(([name]) => name !== 'text');
  const ofText = Object.fromEntries(others.map(([name, said]) => [name === 'test' ? 'text' : name, said]));
  return { ...inputs, text: test, ...(Object.keys(ofText).length > 0 && { rows: ofText }) };
}
