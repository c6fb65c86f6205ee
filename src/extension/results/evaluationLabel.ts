import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import { sparsityText } from '../evaluate/structureText.ts';

/** `wanda at 50 %` */
export function labelOf({ metric, sparsity }: PlannedEvaluation): string {
  return `${metric} at ${sparsityText(sparsity)}`;
}
