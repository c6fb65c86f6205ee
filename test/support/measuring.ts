import type { ModelMask } from '../../src/experiment/structureSchema.ts';
import type { Measuring, Sequences, Timed } from '../../src/experiment/measuringSchema.ts';
import type { Expression } from '../../src/metric/expression.ts';
import type { MeasureOutcome } from '../../src/search/lifecycle/events.ts';

/** An engine, or a session of one. */
interface Measurer {
  measure(asked: Measuring, hooks: { readonly signal?: AbortSignal }): Promise<readonly Timed<MeasureOutcome>[]>;
}

/** On blocks `begin` to `end` − 1. */
export function measureMetrics(by: Measurer, metrics: readonly Expression[], begin: number, end: number, hooks = {}) {
  const candidates = metrics.map((expression) => ({ kind: 'metric', expression }) as const);
  return by.measure({ candidates, on: { kind: 'blocks', begin, end } }, hooks);
}

/** On blocks `begin` to `end` − 1. */
export function measureRates(by: Measurer, all: readonly (readonly number[])[], begin: number, end: number) {
  const candidates = all.map((rates) => ({ kind: 'rates', rates }) as const);
  return by.measure({ candidates, on: { kind: 'blocks', begin, end } }, {});
}

export function measureMasks(by: Measurer, masks: readonly ModelMask[], on: Sequences) {
  return by.measure({ candidates: masks.map((mask) => ({ kind: 'mask', mask }) as const), on }, {});
}
