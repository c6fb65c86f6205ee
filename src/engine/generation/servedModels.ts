import { EspalierError } from '../../base/errors.ts';
import type { Served, ServedPlan } from '../../experiment/generationSchema.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import type { StepHooks } from '../forward/step.ts';
import { ServedModel } from './servedModel.ts';

/** Models that are open at a time: a dense one beside what was pruned of it, and some to spare. */
const MOST = 8;

/** The models of an engine that are open for questions, by their numbers. A number is never given again. */
export class ServedModels {
  private readonly models = new Map<number, ServedModel>();
  private next = 1;

  /** @throws EspalierError `settings/invalid` where too many are open, and as {@link ServedModel.open} */
  async open(plan: ServedPlan, hooks: StepHooks, state: EngineState): Promise<Served> {
    if (this.models.size >= MOST) throw tooMany();
    const model = await ServedModel.open(plan, hooks, state);
    const served = this.next++;
    this.models.set(served, model);
    return { served, ...model.about };
  }

  /** @throws EspalierError `engine/invariant` where there is none (any more) */
  get(served: number): ServedModel {
    const model = this.models.get(served);
    if (!model) throw notOpen(served);
    return model;
  }

  async close(served: number): Promise<void> {
    const model = this.get(served);
    this.models.delete(served);
    await model.dispose();
  }

  async dispose(): Promise<void> {
    const models = [...this.models.values()];
    this.models.clear();
    await Promise.all(models.map((model) => model.dispose()));
  }
}

function notOpen(served: number): EspalierError {
  return new EspalierError({
    code: 'engine/invariant',
    operation: 'asking a model',
    expected: 'an open model',
    actual: `number ${served}, which is not: it was closed, or another device was asked for since`,
    remedy: 'Open the model again.',
  });
}

function tooMany(): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'opening a model',
    expected: `at most ${MOST} open at a time`,
    actual: 'one more',
    remedy: 'Close one of them.',
  });
}
