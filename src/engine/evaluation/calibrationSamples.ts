import { basename } from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { DEFAULT_ROWS } from '../../experiment/corpusRows.ts';
import type { PlannedText } from '../../experiment/corpusRows.ts';
import type { PlanInputs } from '../../experiment/planSchema.ts';
import type { Provenance } from '../../experiment/resultSchema.ts';
import { calibrationSettings, gradientSettings } from '../../experiment/settings.ts';
import type { SampleSettings } from '../../experiment/settings.ts';
import type { LoadedModel } from '../forward/loadedModels.ts';
import type { StepHooks } from '../forward/step.ts';
import { type TokenCache, type TokenHooks, type TokenisedSamples, tokenizerOf } from '../forward/tokenCache.ts';

/** Samples of a plan, with how they were taken and what of. */
export interface PlannedSamples extends TokenisedSamples {
  readonly settings: SampleSettings;
  readonly file: string;
}

/**
 * The samples that a plan calibrates on.
 *
 * @throws EspalierError `corpus/…`, `settings/invalid` where the plan names no calibration text
 */
export function calibrationSamples(
  plan: PlanInputs,
  model: LoadedModel,
  tokenCache: TokenCache,
  hooks: StepHooks,
): Promise<PlannedSamples> {
  const source = { file: calibrationFile(plan), rows: plan.rows?.calibration ?? DEFAULT_ROWS };
  return samplesOf(source, calibrationSettings(plan.settings), model, tokenCache, hooks);
}

/**
 * The samples that G is taken on, where they are others than those for calibration.
 *
 * @throws EspalierError as {@link calibrationSamples}
 */
export async function ownGradientSamples(
  plan: PlanInputs,
  model: LoadedModel,
  tokenCache: TokenCache,
  hooks: StepHooks,
): Promise<PlannedSamples | undefined> {
  const { gradients, rows } = plan;
  const settings = gradientSettings(plan.settings);
  const isSame = JSON.stringify(settings) === JSON.stringify(calibrationSettings(plan.settings));
  if (gradients === undefined && isSame) return undefined;
  const own = gradients === undefined ? rows?.calibration : rows?.gradients;
  const source = { file: gradients ?? calibrationFile(plan), rows: own ?? DEFAULT_ROWS };
  return samplesOf(source, settings, model, tokenCache, hooks);
}

async function samplesOf(
  source: Parameters<TokenCache['samples']>[1],
  settings: SampleSettings,
  model: LoadedModel,
  tokenCache: TokenCache,
  hooks: StepHooks,
): Promise<PlannedSamples> {
  const { file } = source;
  const found = await tokenCache.samples(tokenizerOf(model), source, settings, tokenHooks(file, hooks));
  return { ...found, settings, file };
}

/** What a result says of samples of G's own. */
export function aboutGradients({ file, textHash, settings }: PlannedSamples, plan: PlanInputs): Partial<Provenance> {
  const { samples, length, offsets } = settings;
  return {
    ...(plan.gradients !== undefined && { gradients: file }),
    gradientsHash: textHash,
    gradientSamples: samples,
    gradientLength: length,
    gradientOffsets: offsets,
    seed: settings.seed,
  };
}

/** How texts were made of their files, where that was not as ever. */
export function rowsOf(
  texts: Readonly<Partial<Record<Exclude<PlannedText, 'test'>, WithRows | undefined>>>,
): Pick<Provenance, 'rows'> {
  const [text, calibration, gradients] = [texts.text?.rows, texts.calibration?.rows, texts.gradients?.rows];
  const rows = { ...(text && { text }), ...(calibration && { calibration }), ...(gradients && { gradients }) };
  return Object.keys(rows).length === 0 ? {} : { rows };
}

type WithRows = Pick<TokenisedSamples, 'rows'>;

/** Tells how far reading and tokenising a file have come. */
export function tokenHooks(file: string, { signal, onProgress }: StepHooks): TokenHooks {
  const detail = `tokenising ${basename(file)}`;
  return { signal, onProgress: (done, total) => onProgress?.({ stage: 'tokenising', done, total, detail }) };
}

function calibrationFile(plan: Pick<PlanInputs, 'calibration'>): string {
  if (plan.calibration !== undefined) return plan.calibration;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'calibrating',
    expected: 'a calibration text, for a metric that looks at the layers’ inputs',
    actual: 'none',
    remedy: 'Name one: `calibrate:` in an experiment, --calibration on the command line.',
  });
}
