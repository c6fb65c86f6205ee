import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cachedHub, namesHub, resolveHub } from '../../src/hub/resolveHub.ts';
import type { PlannedTask, PlannedTasks } from '../../src/experiment/taskSchema.ts';
import { failureOf } from '../support/expectCoded.ts';
import { sessionFor, temporaryFolder } from './hubSession.ts';

const asked = (...list: PlannedTask[]): { tasks: PlannedTasks } => ({
  tasks: { list, harness: '0.4', beginning: 'tokenizer' },
});
const TEMPLATE = { context: '{q}', choices: { field: 'c' }, gold: 'g' };

function setUp() {
  const folder = temporaryFolder(onTestFinished);
  const session = sessionFor({ endpoint: 'http://127.0.0.1:1' }, path.join(folder, 'cache'), {
    variables: { HF_HUB_OFFLINE: '1' },
  });
  const put = (name: string) => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '{}\n');
    return file;
  };
  return { folder, session, put };
}

describe('the files of a plan’s tasks', () => {
  it('are those that are named, those of a folder, and examples beside them, in the order of the schema', async () => {
    const { folder, session, put } = setUp();
    const [piqa, train, own] = [put('data/piqa.jsonl'), put('data/piqa.train.jsonl'), put('mine.jsonl')];
    const plan = asked(
      { task: 'piqa', documents: path.join(folder, 'data'), shots: 2, limit: 0 },
      { task: 'piqa', documents: piqa, shots: 0, limit: 7 },
      { task: 'mine', documents: own, examples: train, shots: 1, limit: 0, template: TEMPLATE },
    );
    expect(namesHub(plan)).toBe(true);
    const expected = [
      { task: 'piqa', documents: piqa, examples: train, shots: 2, limit: 0 },
      { task: 'piqa', documents: piqa, shots: 0, limit: 7 },
      { task: 'mine', documents: own, examples: train, shots: 1, limit: 0, template: TEMPLATE },
    ];
    for (const { tasks } of [await resolveHub(plan, session), await cachedHub(plan, session.environment)]) {
      expect(JSON.stringify(tasks)).toBe(JSON.stringify(asked(...(expected as PlannedTask[])).tasks));
    }
  });

  it('that are nowhere are told, with how else they can be had; asking nobody leaves them open', async () => {
    const { folder, session, put } = setUp();
    const plan = asked({ task: 'piqa', shots: 0, limit: 0 });
    const error = await failureOf(() => resolveHub(plan, session));
    expect(error.code).toBe('hub/offline');
    expect(error.data.expected).toContain(session.environment.cache);
    expect(error.data.remedy).toContain('--tasks piqa=FILE');
    expect(await cachedHub(plan, session.environment)).toEqual(plan);
    put('other.jsonl');
    const inFolder = asked({ task: 'piqa', documents: folder, shots: 0, limit: 0 });
    expect((await failureOf(() => resolveHub(inFolder, session))).code).toBe('tasks/not-found');
  });
});
