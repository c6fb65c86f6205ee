import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import type { PlannedTask, PlannedTasks, TaskResult } from '../../experiment/taskSchema.ts';
import { withBeginning } from '../../tasks/encodePair.ts';
import { cutAtStops, generatedRights, GSM8K_GENERATION } from '../../tasks/generated.ts';
import { meansOf, pairedRights, type Rights } from '../../tasks/judge.ts';
import { promptsOf } from '../../tasks/requests.ts';
import { sha256 } from '../checkpoint/hashing.ts';
import { openTask } from '../corpus/taskDocuments.ts';
import { modelLength } from '../forward/modelLength.ts';
import type { StepHooks } from '../forward/step.ts';
import { pairEncoder } from '../scoring/pairEncoder.ts';
import { generate, type GeneratingModel } from './generate.ts';

/** Documents that are answered between two looks at how far it is. */
const STRIDE = 16;

/** What a model's answers are worth, and which of them are right. */
export interface AnsweredTask {
  readonly result: TaskResult;
  readonly rights: Rights;
}

/**
 * A task whose answers are generated (GSM8K), as `HFLM.generate_until` of lm-evaluation-harness does it: the prompt cut to the last tokens that leave room
 * for the answer, the likeliest tokens until a stop text or the token that ends texts, decoded without special tokens and cut at the stops.
 *
 * @param dense which answers of the dense model are right; absent of itself
 * @throws EspalierError `corpus/…`, `tasks/…`, `settings/invalid` for a model too short for an answer, and as {@link generate}
 */
export async function answerTask(
  planned: PlannedTask,
  { harness, beginning }: Pick<PlannedTasks, 'harness' | 'beginning'>,
  model: GeneratingModel,
  { signal, onProgress }: StepHooks,
  dense?: Rights,
): Promise<AnsweredTask> {
  const begin = performance.now();
  const opened = await openTask(planned, { signal });
  const documents = promptsOf(planned, opened, harness);
  const { most, stops } = GSM8K_GENERATION[harness];
  const room = roomFor(model, most);
  const encoder = pairEncoder(model.tokenizer, model.checkpoint, beginning);
  const whole = documents.map(({ prompt }) => withBeginning(encoder, prompt));
  const prompts = whole.map((ids) => ids.subarray(Math.max(0, ids.length - room)));
  const rights: Record<string, boolean[]> = {};
  let tokens = 0;
  for (let first = 0; first < prompts.length; first += STRIDE) {
    throwIfCancelled(signal, 'answering');
    const detail = `${planned.task}, document ${first + 1} of ${prompts.length}`;
    onProgress?.({ stage: 'evaluating', done: first, total: prompts.length, detail });
    const asked = { prompts: prompts.slice(first, first + STRIDE), most, stops };
    const { answers, prefill, decode } = await generate(model, asked, { signal });
    tokens += prefill.tokens + decode.tokens;
    for (const [i, { ids }] of answers.entries()) {
      const text = cutAtStops(model.tokenizer.decode(ids), stops);
      const found = generatedRights(harness, text, documents[first + i]!.answer);
      for (const [name, isRight] of Object.entries(found)) (rights[name] ??= []).push(isRight);
    }
  }
  const result: TaskResult = {
    ...{ task: planned.task, harness, shots: planned.shots, documents: documents.length, means: meansOf(rights) },
    ...(dense && { dense: meansOf(dense), paired: pairedRights(dense, rights) }),
    ...{ requests: documents.length, truncated: whole.filter(({ length }) => length > room).length, tokens },
    seconds: (performance.now() - begin) / 1000,
    fingerprint: sha256(
      Buffer.from(JSON.stringify([planned.task, harness, documents.map(({ prompt }, i) => [prompt, ...prompts[i]!])])),
    ),
    documentsFile: planned.documents!,
    documentsHash: opened.hash,
  };
  return { result, rights };
}

/** Tokens of a prompt that leave room for an answer. @throws EspalierError `settings/invalid` */
function roomFor({ checkpoint: { config } }: GeneratingModel, most: number): number {
  const longest = Math.min(config.maxPositions, modelLength(config));
  if (longest > most) return longest - most;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'answering a task',
    expected: `a model with room for an answer of ${most} tokens and a prompt`,
    actual: `one of ${longest} tokens`,
    remedy: 'Leave the task out.',
  });
}
