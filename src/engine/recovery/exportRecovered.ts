import { requirePerplexity } from '../../experiment/resultSchema.ts';
import type { ExportReport, ExportTarget } from '../../experiment/exportSchema.ts';
import type { FreshEngine } from '../../experiment/freshEngine.ts';
import { planInputs } from '../../experiment/planInputs.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { RecoveryPlan } from '../../search/recovery/plan.ts';
import { evaluatePlan } from '../evaluation/evaluatePlan.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import { exportWritten, type WriteModel, type WrittenModel } from '../export/exportModel.ts';
import { VERIFIED_ROWS } from '../export/verify.ts';
import type { StepHooks } from '../forward/step.ts';
import { type KeptState, recover } from './recover.ts';

/**
 * Exports what a recovery makes of a model, with the adapter in its weights: in the checkpoint's types, where what rounding does to the perplexity is
 * measured, or as ONNX in float32, or as GGUF. Compared, like every export, with the model in memory, in another process.
 *
 * @param kept what a run has kept; without it the model is trained now
 * @throws EspalierError as `exportModel` and {@link recover}
 */
export async function exportRecovered(
  plan: RecoveryPlan,
  kept: KeptState | undefined,
  target: ExportTarget,
  hooks: StepHooks,
  state: EngineState,
  startFresh: () => FreshEngine,
  scratchFolder?: string,
): Promise<ExportReport> {
  const inputs = planInputs(plan);
  const evaluation: EvaluationPlan = { ...inputs, evaluations: plan.evaluation ? [plan.evaluation] : [] };
  const form = target.format === 'huggingface' ? 'stored' : 'float32';
  const write: WriteModel = async (_, folder) => {
    const { signal, onProgress } = hooks;
    const [before] = await evaluatePlan(evaluation, { signal, onProgress }, state);
    let written: Omit<WrittenModel, 'result'> | undefined;
    const result = await recover(
      { plan, inputs, before: requirePerplexity(before!), kept },
      hooks,
      state,
      scratchFolder,
      async (session, point) => {
        const merged = await session.write(point, folder, form, hooks);
        const states = await session.logits(point, inputs, VERIFIED_ROWS, hooks);
        const { leftOut, dtype } = merged;
        written = { written: merged.written, states, leftOut, roundedTo: dtype === 'F32' ? [] : [dtype] };
      },
    );
    return { ...written!, result };
  };
  return exportWritten(evaluation, target, write, hooks, state, startFresh);
}
