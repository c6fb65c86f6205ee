import { basename } from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import { sampleLength } from '../../experiment/settings.ts';
import { DEFAULT_ROWS } from '../corpus/dataSet.ts';
import type { LoadedModel } from '../forward/loadedModels.ts';
import type { StepHooks } from '../forward/step.ts';
import { type TokenCache, type TokenHooks, type TokenisedSamples, tokenizerOf } from '../forward/tokenCache.ts';

/**
 * The calibration samples of a plan, of the tokens that {@link sampleLength} says.
 *
 * @throws EspalierError `corpus/…`, `settings/invalid` where the plan names no calibration text
 */
export function calibrationSamples(
  plan: Pick<EvaluationPlan, 'calibration' | 'settings'>,
  model: LoadedModel,
  tokenCache: TokenCache,
  hooks: StepHooks,
): Promise<TokenisedSamples> {
  const { samples, offsets, seed } = plan.settings;
  const source = { file: calibrationFile(plan), rows: DEFAULT_ROWS };
  const settings = { samples, length: sampleLength(plan.settings), offsets, seed };
  return tokenCache.samples(tokenizerOf(model), source, settings, tokenHooks(source.file, hooks));
}

/** Tells how far reading and tokenising a file have come. */
export function tokenHooks(file: string, { signal, onProgress }: StepHooks): TokenHooks {
  const detail = `tokenising ${basename(file)}`;
  return { signal, onProgress: (done, total) => onProgress?.({ stage: 'tokenising', done, total, detail }) };
}

function calibrationFile(plan: Pick<EvaluationPlan, 'calibration'>): string {
  if (plan.calibration !== undefined) return plan.calibration;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'calibrating',
    expected: 'a calibration text, for a metric that looks at the layers’ inputs',
    actual: 'none',
    remedy: 'Name one: `calibrate:` in an experiment, --calibration on the command line.',
  });
}
