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
import { pairEncoder } from './pairEncoder.ts';
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

/** Documents that are encoded before others get their turn. */
const STRIDE = 32;

/**
 * Reads the documents of a plan's tasks, and encodes what they ask. A request is cut from the left to the tokens that the model was made for, each
 * choice by its own length.
 *
 * @throws EspalierError `corpus/…`, `tasks/…`, `checkpoint/tokenizer`, `cancelled`
 */
export async function openTasks(
  { list, harness, beginning }: PlannedTasks,
  model: Pick<LoadedModel, 'checkpoint'>,
  { signal, onProgress }: StepHooks,
  cacheFolder?: string,
): Promise<OpenedTasks> {
  const { checkpoint } = model;
  const tokenizer = await loadTokenizer(checkpoint.tokenizerFolder, { vocabulary: checkpoint.config.vocabulary });
  const encoder = pairEncoder(tokenizer, checkpoint, beginning);
  const tasks: OpenedTask[] = [];
  const sequences: Sequence[] = [];
  for (const planned of list) {
    refuseGenerated(planned);
    throwIfCancelled(signal, 'reading tasks');
    const opened = await openTask(planned, { signal, cacheFolder });
    const asked = requestsOf(planned, opened, harness);
    const hash = createHash('sha256').update(JSON.stringify([planned.task, harness]));
    const first = sequences.length;
    const lengths: (readonly [number, number])[][] = [];
    let truncated = 0;
    for (const [index, document] of asked.entries()) {
      if (index % STRIDE === 0) {
        onProgress?.({ stage: 'tokenising', done: index, total: asked.length, detail: `tokenising ${planned.task}` });
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
    tasks.push({
      ...{ planned, harness, asked, lengths, first, truncated },
      fingerprint: hash.digest('hex'),
      hash: opened.hash,
    });
  }
  return { tasks, sequences };
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
