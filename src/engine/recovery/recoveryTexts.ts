import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { DEFAULT_ROWS, type RowsSettings } from '../../experiment/corpusRows.ts';
import type { Provenance } from '../../experiment/resultSchema.ts';
import type { RecoveryPlan } from '../../search/recovery/plan.ts';
import { hashFile, sha256 } from '../checkpoint/hashing.ts';
import { tokenHooks } from '../evaluation/calibrationSamples.ts';
import type { EngineState } from '../evaluation/prepareSweep.ts';
import type { LoadedModel } from '../forward/loadedModels.ts';
import type { StepHooks } from '../forward/step.ts';
import { evaluationBlocks } from '../forward/tokenBlocks.ts';
import { tokenizerOf } from '../forward/tokenCache.ts';
import { loadTokenizer } from '../tokenizer/tokenizer.ts';
import { pairSequences, readInstructionPairs } from './instructionPairs.ts';
import type { TrainingSequence } from './trainingPass.ts';

/** Tokens of a training sequence, and of a held-out one. */
export function trainingLength({ recovery, settings }: Pick<RecoveryPlan, 'recovery' | 'settings'>): number {
  return recovery.length || settings.length;
}

export interface RecoveryTexts {
  readonly sequences: readonly TrainingSequence[];
  readonly heldOut: readonly TrainingSequence[];
  /** Of both files. */
  readonly hash: string;
  /** What a result says of them. */
  readonly provenance: TextProvenance;
}

type TextProvenance = Pick<Provenance, 'train' | 'trainHash' | 'validate' | 'validateHash' | 'rows'>;

/**
 * The sequences to train on, and those that are held out: texts cut into blocks, or instruction pairs, one a sequence. Without a text for it the last
 * ones are held out, half of them at most.
 *
 * @throws EspalierError `corpus/…`, `settings/invalid` where replies alone are to count in a text
 */
export async function recoveryTexts(
  plan: RecoveryPlan,
  model: LoadedModel,
  hooks: StepHooks,
  state: EngineState,
): Promise<RecoveryTexts> {
  const train = await sequencesOf(plan, plan.train, 'train', model, hooks, state);
  const { held } = plan.recovery;
  const ofTraining = { train: plan.train, trainHash: train.hash };
  if (plan.validate !== undefined) {
    const { sequences, hash, rows } = await sequencesOf(plan, plan.validate, 'validate', model, hooks, state);
    const { validate } = plan;
    return {
      sequences: train.sequences,
      heldOut: sequences.slice(0, held),
      hash: sha256(`${train.hash} ${hash}`),
      provenance: {
        ...ofTraining,
        ...{ validate, validateHash: hash },
        ...aboutRows({ train: train.rows, validate: rows }),
      },
    };
  }
  const kept = train.sequences.length - Math.min(held, Math.floor(train.sequences.length / 2));
  if (kept === train.sequences.length) throw tooFew(plan.train);
  return {
    sequences: train.sequences.slice(0, kept),
    heldOut: train.sequences.slice(kept),
    hash: train.hash,
    provenance: { ...ofTraining, ...aboutRows({ train: train.rows }) },
  };
}

function aboutRows(said: Partial<Readonly<Record<'train' | 'validate', RowsSettings | undefined>>>): TextProvenance {
  const { train, validate } = said;
  return train || validate ? { rows: { ...(train && { train }), ...(validate && { validate }) } } : {};
}

interface ReadSequences {
  readonly sequences: readonly TrainingSequence[];
  readonly hash: string;
  readonly rows?: RowsSettings | undefined;
}

async function sequencesOf(
  plan: RecoveryPlan,
  file: string,
  which: 'train' | 'validate',
  model: LoadedModel,
  hooks: StepHooks,
  { tokenCache }: EngineState,
): Promise<ReadSequences> {
  const length = trainingLength(plan);
  const pairs = await readInstructionPairs(file, hooks.signal);
  if (pairs) {
    const { checkpoint } = model;
    const tokenizer = await loadTokenizer(checkpoint.tokenizerFolder, checkpoint.config);
    const end = endToken(checkpoint.values['eos_token_id'], checkpoint.config.vocabulary);
    const sequences = pairSequences(pairs, tokenizer, { length, loss: plan.recovery.loss, end, file });
    return { sequences, hash: await hashFile(file, undefined, hooks.signal) };
  }
  if (plan.recovery.loss === 'reply') throw noReplies(file);
  const rows = plan.rows?.[which] ?? DEFAULT_ROWS;
  const text = await tokenCache.text(tokenizerOf(model), { file, rows }, tokenHooks(file, hooks));
  const blocks = await evaluationBlocks(text, { length, blocks: 0 }, file, tokenHooks(file, hooks));
  const sequences = blocks.map((ids) => ({ ids }));
  return { sequences, hash: text.textHash, rows: text.rows };
}

function endToken(stated: unknown, vocabulary: number): number | undefined {
  const [first] = Array.isArray(stated) ? (stated as readonly unknown[]) : [stated];
  return typeof first === 'number' && Number.isInteger(first) && 0 <= first && first < vocabulary ? first : undefined;
}

function noReplies(file: string): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'recovering',
    expected: 'instruction pairs, where replies alone count',
    actual: `a text: ${path.basename(file)}`,
    remedy: 'Use --loss everything, or pairs in Alpaca’s layout (instruction, input, output).',
    file,
  });
}

function tooFew(file: string): EspalierError {
  return new EspalierError({
    code: 'corpus/too-short',
    operation: 'cutting the training text',
    expected: 'two sequences at least: one to train on, one to hold out',
    actual: 'one',
    remedy: 'Use a longer text or a smaller length, or name a text to validate on.',
    file,
  });
}
