import type { PlanInputs } from './planSchema.ts';

/** What a plan of any kind works on, without what it does there. */
export function planInputs({ model, text, calibration, gradients, rows, protocol, settings }: PlanInputs): PlanInputs {
  return {
    model,
    text,
    ...(calibration !== undefined && { calibration }),
    ...(gradients !== undefined && { gradients }),
    ...(rows !== undefined && { rows }),
    ...(protocol !== undefined && { protocol }),
    settings,
  };
}

/** The same on the text that a search never sees, which is evaluated as its fitness text is. */
export function onTestText(plan: PlanInputs, test: string): PlanInputs {
  const { rows = {}, ...inputs } = planInputs(plan);
  const { calibration, gradients, test: ofTest } = rows;
  const others = {
    ...(calibration && { calibration }),
    ...(gradients && { gradients }),
    ...(ofTest && { text: ofTest }),
  };
  return { ...inputs, text: test, ...(Object.keys(others).length > 0 && { rows: others }) };
}
