import { throwIfCancelled } from '../../base/errors.ts';
import { VERSION } from '../../base/version.ts';
import { DEFAULT_ROWS } from '../../experiment/corpusRows.ts';
import { deviationsOf } from '../../experiment/deviations.ts';
import type { PlanInputs } from '../../experiment/planSchema.ts';
import { sampleLength } from '../../experiment/settings.ts';
import type { EvaluationProgress, Provenance } from '../../experiment/resultSchema.ts';
import { evaluationBlocks } from '../forward/tokenBlocks.ts';
import type { LoadedModels } from '../forward/loadedModels.ts';
import { modelLength, requireLength } from '../forward/modelLength.ts';
import { ModelPrograms } from '../forward/modelPrograms.ts';
import { scratchPlace, stateBytes } from '../forward/stateStream.ts';
import type { StepHooks } from '../forward/step.ts';
import { type TokenCache, tokenizerOf } from '../forward/tokenCache.ts';
import type { TokenisedText } from '../forward/tokenisedText.ts';
import type { LoadedGradients } from '../gradient/loadedGradients.ts';
import { sizeOf } from '../graph/shape.ts';
import { allParameters } from '../families/families.ts';
import type { Device } from '../runtime/device.ts';
import { machineOf } from '../runtime/machine.ts';
import type { OpenDevices } from '../runtime/openDevices.ts';
import { loadOrt } from '../runtime/ort.ts';
import {
  aboutGradients,
  calibrationSamples,
  ownGradientSamples,
  type PlannedSamples,
  rowsOf,
  tokenHooks,
} from './calibrationSamples.ts';
import type { SampleNeeds } from '../../experiment/planned.ts';
import type { TaskPlaces } from '../scoring/openTasks.ts';
import type { SweepInputs, SweepOutcome } from './sweepInputs.ts';

/** What an engine keeps from one evaluation to the next. */
export interface EngineState extends TaskPlaces {
  readonly devices: OpenDevices;
  readonly models: LoadedModels;
  readonly tokenCache: TokenCache;
  readonly gradients: LoadedGradients;
  /** Dense outcomes by fingerprint. */
  readonly dense: Map<string, SweepOutcome>;
}

export interface PreparedSweep {
  readonly inputs: SweepInputs;
  readonly provenance: EarlyProvenance;
  /** What of its provenance a number is not told without, but computed: it takes long where files are large. */
  readonly modelHash: () => Promise<string>;
  /** How much the whole text is: it is tokenised to its end for that, which an evaluation of its beginning needs for its result alone. */
  readonly textCounts: () => Promise<TextCounts>;
  /** Token ids of the whole calibration text, where it is needed and samples are cut out of it. */
  readonly calibration: Int32Array | undefined;
}

/** What is known before anything is computed. */
export type EarlyProvenance = Omit<Provenance, 'modelHash' | keyof TextCounts>;

type TextCounts = Pick<Provenance, 'textTokens' | 'textWords' | 'textBytes'>;

/** What of an evaluation or a search decides its inputs. `test`: what a search evaluates on at its end. */
type SweepPlan = PlanInputs & { readonly test?: string };

/**
 * Opens the checkpoint, tokenises the texts, starts the device and cuts the blocks. A test text that is of no use is found out now, and not
 * when the search is done.
 *
 * @throws EspalierError
 */
export async function prepareSweep(
  plan: SweepPlan,
  needs: SampleNeeds,
  hooks: StepHooks,
  state: EngineState,
): Promise<PreparedSweep> {
  const { settings } = plan;
  const { signal, onProgress } = hooks;
  const report = (stage: EvaluationProgress['stage'], detail: string): void => {
    onProgress?.({ stage, done: 0, total: 0, detail });
    throwIfCancelled(signal, 'evaluating');
  };
  report('device', 'starting the device');
  const device = await state.devices.device(settings);
  report('reading', 'reading the checkpoint');
  const model = await state.models.load(plan.model, device, signal);
  requireLength(model.checkpoint.config, settings.length);
  const open = (file: string, rows = DEFAULT_ROWS): Promise<TokenisedText> =>
    state.tokenCache.text(tokenizerOf(model), { file, rows }, tokenHooks(file, hooks));
  const text = plan.text === undefined ? undefined : await open(plan.text, plan.rows?.text);
  const { tokenCache } = state;
  const calibration = needs.calibration ? await calibrationSamples(plan, model, tokenCache, hooks) : undefined;
  const gradients = needs.gradients ? await ownGradientSamples(plan, model, tokenCache, hooks) : undefined;
  const blocksOf = (opened: TokenisedText, file: string): Promise<Int32Array[]> =>
    evaluationBlocks(opened, settings, file, tokenHooks(file, hooks));
  const evaluation = text ? await blocksOf(text, plan.text!) : [];
  if (plan.test !== undefined) await blocksOf(await open(plan.test, plan.rows?.test), plan.test);
  const { config } = model.checkpoint;
  const programs = await ModelPrograms.create(config, device, settings.length);
  const ofSamples = sampleLength(settings);
  const isOwn = calibration !== undefined && ofSamples !== settings.length;
  const tokensOf = (sequences: readonly Int32Array[] = []): number =>
    sequences.reduce((sum, ids) => sum + ids.length, 0);
  const tokens = tokensOf(evaluation) + tokensOf(calibration?.tokens);
  const scratchFolder = scratchPlace(stateBytes(config, tokens), state.cacheFolder);
  const inputs: SweepInputs = {
    checkpoint: model.checkpoint,
    device,
    weights: model.weights,
    programs,
    calibrationPrograms: isOwn ? await ModelPrograms.create(config, device, ofSamples) : programs,
    evaluation,
    calibration: calibration?.tokens ?? [],
    gradientSamples: (gradients ?? calibration)?.tokens ?? [],
    calibrate: settings.calibrate,
    ...(scratchFolder !== undefined && { scratchFolder }),
    now: () => performance.now() / 1000,
  };
  const provenance: EarlyProvenance = {
    model: plan.model,
    architecture: model.checkpoint.config.architecture,
    parameters: allParameters(model.checkpoint.config).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    ...(text && {
      text: plan.text!,
      textHash: text.textHash,
    }),
    blocks: evaluation.length,
    length: settings.length,
    modelLength: modelLength(model.checkpoint.config),
    ...(model.checkpoint.notes.length > 0 && { modelNotes: model.checkpoint.notes }),
    ...(calibration && {
      calibration: plan.calibration!,
      calibrationHash: calibration.textHash,
      samples: settings.samples,
      ...(isOwn && { calibrationLength: ofSamples }),
      offsets: settings.offsets,
      seed: settings.seed,
    }),
    ...(gradients && aboutGradients(gradients, plan)),
    ...rowsOf({ text, calibration, gradients }),
    ...aboutProtocol(plan, { text, calibration, gradients }, needs, modelLength(model.checkpoint.config)),
    group: settings.group,
    device: device.name,
    deviceName: describeDevice(device),
    precision: device.precision,
    versions: engineVersions(),
    machine: machineOf(device.name),
  };
  const textCounts = async (): Promise<TextCounts> => {
    if (!text) return {};
    const { tokens, words, bytes } = await text.counts(tokenHooks(plan.text!, hooks));
    return { textTokens: tokens, textWords: words, textBytes: bytes };
  };
  const modelHash = (): Promise<string> => model.hash(signal);
  return { inputs, provenance, modelHash, textCounts, calibration: calibration?.ids };
}

interface ReadTexts {
  readonly text: TokenisedText | undefined;
  readonly calibration: PlannedSamples | undefined;
  readonly gradients: PlannedSamples | undefined;
}

function aboutProtocol(
  plan: PlanInputs,
  { text, calibration, gradients }: ReadTexts,
  needs: SampleNeeds,
  modelLength: number,
): Pick<Provenance, 'protocol' | 'deviations'> {
  const { protocol } = plan;
  if (protocol === undefined) return {};
  const hashes = {
    ...(text && { text: text.textHash }),
    ...(calibration && { calibration: calibration.textHash }),
    ...(gradients && { gradients: gradients.textHash }),
  };
  const known = { modelLength, hashes, calibrated: needs.calibration, gradients: needs.gradients };
  return { protocol, deviations: [...deviationsOf(plan, known)] };
}

/** What computes the numbers; part of every fingerprint. */
export function engineVersions(): Provenance['versions'] {
  return { espalier: VERSION, onnxruntime: loadOrt().env.versions.node! };
}

function describeDevice(device: Device): string {
  return device.name === 'cpu' ? `cpu, ${device.threads} threads` : device.name;
}
