import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import type { PlannedTask, PlannedTasks } from '../../experiment/taskSchema.ts';
import { encodeDocument, type CutPair } from '../../tasks/encodePair.ts';
import { type AskedDocument, requestsOf } from '../../tasks/requests.ts';
import { taskOf } from '../../tasks/taskOf.ts';
import { openTask } from '../corpus/taskDocuments.ts';
import type { LoadedModel } from '../forward/loadedModels.ts';
import type { StepHooks } from '../forward/step.ts';
import { loadTokenizer } from '../tokenizer/tokenizer.ts';
import { type ModelEncoder, pairEncoder } from './pairEncoder.ts';
import type { Sequence } from './sequence.ts';

/** The tasks of a plan as sequences of a model's tokens. */
export interface OpenedTasks {
  readonly tasks: readonly OpenedTask[];
  /** Of all tasks, one after the other. */
  readonly sequences: readonly Sequence[];
}

export interface OpenedTask {
  readonly planned: PlannedTask;
  readonly harness: PlannedTasks['harness'];
  readonly asked: readonly AskedDocument[];
  /** Of each document, of each choice: tokens of context and continuation after cutting. */
  readonly lengths: readonly (readonly (readonly [context: number, continuation: number])[])[];
  /** Place of its first sequence; one for each choice of each document follows. */
  readonly first: number;
  readonly truncated: number;
  /** sha-256, hex, over prompts and tokens. */
  readonly fingerprint: string;
  /** sha-256, hex, of the file of documents. */
  readonly hash: string;
}

/** What a task's documents ask, encoded. */
export interface EncodedTask extends Pick<OpenedTask, 'asked' | 'lengths' | 'truncated' | 'fingerprint'> {
  readonly sequences: readonly Sequence[];
}

/** Where an engine keeps what it opens. */
export interface TaskPlaces {
  readonly cacheFolder?: string | undefined;
  /** What the last plan's tasks ask, by all that decides it: a search and an editor ask the same again. */
  readonly encodedTasks?: Map<string, EncodedTask>;
}

/** Documents that are encoded before others get their turn. */
const STRIDE = 32;

/**
 * Reads the documents of a plan's tasks, and encodes what they ask. A request is cut from the left to the tokens that the model was made for, each
 * choice by its own length.
 *
 * @throws EspalierError `corpus/…`, `tasks/…`, `checkpoint/tokenizer`, `cancelled`
 */
export async function openTasks(
  planned: PlannedTasks,
  model: Pick<LoadedModel, 'checkpoint'>,
  hooks: StepHooks,
  { cacheFolder, encodedTasks: kept = new Map<string, EncodedTask>() }: TaskPlaces = {},
): Promise<OpenedTasks> {
  const { list, harness, beginning } = planned;
  const { signal } = hooks;
  const { checkpoint } = model;
  const tokenizer = await loadTokenizer(checkpoint.tokenizerFolder, { vocabulary: checkpoint.config.vocabulary });
  const encoder = pairEncoder(tokenizer, checkpoint, beginning);
  const encoded = new Map<string, EncodedTask>();
  const tasks: OpenedTask[] = [];
  const sequences: Sequence[] = [];
  for (const task of list) {
    refuseGenerated(task);
    throwIfCancelled(signal, 'reading tasks');
    const opened = await openTask(task, { signal, cacheFolder });
    const { hash, examplesHash = null } = opened;
    const { identity, beginning: before, prefix = null } = encoder;
    const { vocabulary, maxPositions } = model.checkpoint.config;
    const ofModel = [identity, before, prefix, vocabulary, maxPositions];
    const key = JSON.stringify([task, harness, beginning, hash, examplesHash, ofModel]);
    const { sequences: own, ...found } =
      kept.get(key) ??
      (await encodeTask(requestsOf(task, opened, harness), [task.task, harness], encoder, model, hooks));
    encoded.set(key, { sequences: own, ...found });
    tasks.push({ planned: task, harness, ...found, first: sequences.length, hash });
    for (const sequence of own) sequences.push(sequence);
  }
  kept.clear();
  for (const [key, each] of encoded) kept.set(key, each);
  return { tasks, sequences };
}

async function encodeTask(
  asked: readonly AskedDocument[],
  [task, harness]: readonly [task: string, harness: string],
  encoder: ModelEncoder,
  { checkpoint }: Pick<LoadedModel, 'checkpoint'>,
  { signal, onProgress }: StepHooks,
): Promise<EncodedTask> {
  const hash = createHash('sha256').update(JSON.stringify([task, harness]));
  const sequences: Sequence[] = [];
  const lengths: (readonly [number, number])[][] = [];
  let truncated = 0;
  for (const [index, document] of asked.entries()) {
    if (index % STRIDE === 0) {
      onProgress?.({ stage: 'tokenising', done: index, total: asked.length, detail: `tokenising ${task}` });
      await setImmediate();
      throwIfCancelled(signal, 'tokenising');
    }
    const pairs = encodeDocument(encoder, document, checkpoint.config.maxPositions);
    for (const [choice, pair] of pairs.entries()) {
      const sequence = sequenceOf(pair);
      sequences.push(sequence);
      truncated += Number(pair.isCut);
      const { context, continuation } = document.requests[choice]!;
      hash.update(`${context}\0${continuation}\0`).update(sequence.ids);
    }
    lengths.push(pairs.map(({ context, continuation }) => [context.length, continuation.length]));
  }
  return { asked, lengths, truncated, fingerprint: hash.digest('hex'), sequences };
}

function sequenceOf({ context, continuation }: CutPair): Sequence {
  const ids = new Int32Array(context.length + continuation.length);
  ids.set(context);
  ids.set(continuation, context.length);
  return { ids, from: context.length };
}

function refuseGenerated(planned: PlannedTask): void {
  if (taskOf(planned).known !== 'gsm8k') return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'asking for likelihoods of choices',
    expected: 'tasks with choices',
    actual: `${planned.task}, whose answers are generated`,
    remedy: 'Leave it out here.',
  });
}
