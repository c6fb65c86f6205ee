import { inputName } from '../../experiment/hubName.ts';
import { planInputs } from '../../experiment/planInputs.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../experiment/settings.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { labelOf } from '../results/evaluationLabel.ts';
import type { TrySubject } from './trySession.ts';

/** What a plan with one evaluation, or none, makes answer: its checkpoint as it is, and what the evaluation makes of it. */
export function trySubject(plan: EvaluationPlan): TrySubject {
  const [evaluation] = plan.evaluations;
  return {
    ...denseSubject(plan.model, plan.settings),
    pruned: evaluation && { label: labelOf(evaluation), plan: { ...planInputs(plan), evaluations: [evaluation] } },
  };
}

/** A checkpoint alone. @param settings of which the device counts */
export function denseSubject(model: string, settings: Partial<EvaluationSettings>): TrySubject {
  const { device, precision, threads } = { ...DEFAULT_SETTINGS, ...settings };
  return {
    model: inputName(model),
    // What others calibrate on makes no other model of it.
    dense: {
      label: 'dense',
      plan: { model, evaluations: [], settings: { ...DEFAULT_SETTINGS, device, precision, threads } },
    },
    pruned: undefined,
  };
}
