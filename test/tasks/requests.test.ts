import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { HARNESSES, TASK_NAMES } from '../../src/experiment/tasks.ts';
import type { Harness, TaskName } from '../../src/experiment/tasks.ts';
import type { Document } from '../../src/tasks/document.ts';
import { promptsOf, requestsOf } from '../../src/tasks/requests.ts';
import type { TaskRequest } from '../../src/tasks/requests.ts';
import { askTasksReference, hasTasksReference, TASK_DOCUMENTS } from '../support/tasksReference.ts';

const SHOTS = [0, 1, 2, 5];

interface Asked {
  readonly gold: number;
  /** Of the contexts, each once, and the continuations. */
  readonly hash: string;
}

/** What the oracle asks of every document of a file. */
const REFERENCE = `import hashlib
def said(gold, pairs):
    contexts, continuations = dict.fromkeys(c for c, k in pairs), [k for c, k in pairs]
    return {'gold': gold, 'hash': hashlib.sha256(chr(0).join([*contexts, '', *continuations]).encode()).hexdigest()}
def asked(task, folder, shots, old):
    docs, pool = oracle.load(folder + '/' + task + '.jsonl'), oracle.load(folder + '/' + task + '.train.jsonl')
    docs, heads = oracle.few_shot(task, docs, pool, shots, None, old)
    if task == 'gsm8k': return [said(0, [(h + oracle.gsm8k(d)[0], d['answer'])]) for d, h in zip(docs, heads)]
    return [said(oracle.TASKS[task][0](d)[2], oracle.requests(task, d, h)) for d, h in zip(docs, heads)]
print(json.dumps([asked(*each) for each in input]))`;

const documentsOf = (file: string): readonly Document[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, row) => ({ file, row, fields: JSON.parse(line) as Document['fields'] }));

const said = (gold: number, requests: readonly TaskRequest[]): Asked => {
  const contexts = new Set(requests.map(({ context }) => context));
  const texts = [...contexts, '', ...requests.map(({ continuation }) => continuation)];
  return { gold, hash: createHash('sha256').update(texts.join('\0')).digest('hex') };
};

function ourRequests(task: TaskName, folder: string, shots: number, harness: Harness): readonly Asked[] {
  const from = {
    documents: documentsOf(path.join(folder, `${task}.jsonl`)),
    pool: documentsOf(path.join(folder, `${task}.train.jsonl`)),
  };
  const planned = { task, shots, limit: 0 };
  return task === 'gsm8k'
    ? promptsOf(planned, from, harness).map((each) => said(0, [{ context: each.prompt, continuation: each.answer }]))
    : requestsOf(planned, from, harness).map(({ gold, requests }) => said(gold, requests));
}

describe.skipIf(!hasTasksReference)(
  'requests (skipped without Python, or the oracle and documents of ../shared)',
  () => {
    it.each(TASK_NAMES)(
      'of %s are the oracle’s, text for text, from the authors’ fields and Hugging Face’s',
      (task) => {
        const cases = [TASK_DOCUMENTS, path.join(TASK_DOCUMENTS, 'hf')].flatMap((folder) =>
          SHOTS.flatMap((shots) => HARNESSES.map((harness) => ({ folder, shots, harness }))),
        );
        const input = cases.map(({ folder, shots, harness }) => [task, folder, shots, harness === '0.3']);
        const expected = askTasksReference(REFERENCE, input) as readonly (readonly Asked[])[];
        for (const [i, { folder, shots, harness }] of cases.entries())
          expect(ourRequests(task, folder, shots, harness), `${folder} ${shots} ${harness}`).toEqual(expected[i]);
      },
    );
  },
);
