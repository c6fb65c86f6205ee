import path from 'node:path';
import type { PlanInputs, PlannedEvaluation } from '../../experiment/planSchema.ts';
import { openCheckpoint } from '../checkpoint/checkpoint.ts';
import { writePruned } from '../export/exportModel.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import type { StepHooks } from '../forward/step.ts';
import type { RemovedComponents } from '../evaluation/removal.ts';
import { prunedConfig } from '../export/prunedConfig.ts';
import { structuralSources } from '../export/tensorSources.ts';
import type { Parameter } from '../families/family.ts';
import type { CutWeight } from './cutAdapter.ts';
import { inFloat32 } from './inFloat32.ts';

export interface Scratch {
  /** What is left of which tensor of the dense model. */
  readonly cut: (parameter: Parameter) => CutWeight | undefined;
}

/**
 * Writes what an evaluation makes of a model: pruned, updated, removed components really removed, in float32, as a checkpoint like any
 * other. Training then knows nothing of metrics, updates and structures: zeros of the stored weights are the mask.
 *
 * @param inputs of the evaluation; of its text, if there is one, one block alone is looked at
 * @param folder an empty one
 * @throws EspalierError as an evaluation and an export do
 */
export async function writeScratch(
  inputs: PlanInputs,
  evaluation: PlannedEvaluation,
  folder: string,
  hooks: StepHooks,
  state: EngineState,
): Promise<Scratch> {
  const dense = await openCheckpoint(path.resolve(inputs.model));
  try {
    const plan = { ...inputs, evaluations: [evaluation], settings: { ...inputs.settings, blocks: 1 } };
    let removed: RemovedComponents | undefined;
    const onRemoved = (components: RemovedComponents): void => {
      removed = components;
    };
    const form = evaluation.update ? 'float32' : 'masked';
    await writePruned(plan, inFloat32(dense), folder, form, { ...hooks, onRemoved }, state);
    if (!removed) return { cut: ({ tensor }) => ({ from: tensor }) };
    const pruned = prunedConfig(dense.values, dense.config, removed.mask, false);
    const sources = structuralSources(dense, pruned, removed.mask, undefined);
    return {
      cut({ tensor }) {
        const source = sources.get(tensor);
        return source?.kind === 'stored' ? { ...source, from: source.parameter.tensor } : undefined;
      },
    };
  } finally {
    dense.close();
  }
}
