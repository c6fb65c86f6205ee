import { describe, expect, it } from 'vitest';
import type { SearchEvent } from '../../src/search/kinds.ts';
import type { LlmReply } from '../../src/search/llm/events.ts';
import { LostReply } from '../../src/llm/languageModel.ts';
import type { Question } from '../../src/llm/languageModel.ts';
import { replayModel } from '../../src/llm/replay.ts';
import { failureOf } from '../support/expectCoded.ts';

const USAGE = { promptTokens: 9, replyTokens: 0, estimated: true } as const;
const text = (said: string): LlmReply => ({
  ...{ kind: 'text', text: said, usage: { promptTokens: 7, replyTokens: 3 }, cost: 1, model: 'm' },
});

function recorded(...exchanges: readonly (readonly [Question['role'], number, string, LlmReply])[]): SearchEvent[] {
  return exchanges.flatMap(([role, generation, prompt, reply], call): SearchEvent[] => [
    { kind: 'llm-asked', call, role, generation, attempt: 0, wanted: 1, prompt },
    { kind: 'llm-replied', call, reply, seconds: 1 },
  ]);
}

const never = new AbortController().signal;
const question = (role: Question['role'], generation: number, prompt: string): Question => ({
  ...{ role, generation, prompt, idempotencyKey: 'k' },
});

const EVENTS = recorded(
  ['initialise', 0, 'first', text('one')],
  ['mutate', 1, 'same', text('two')],
  ['mutate', 1, 'same', text('three')],
  ['cross', 1, 'cross', { kind: 'lost' }],
  [
    'mutate',
    2,
    'failed',
    {
      ...{ kind: 'failed', usage: USAGE, cost: 1 },
      error: { code: 'llm/timeout', operation: 'o', expected: 'e', actual: 'a', remedy: 'r' },
    },
  ],
);

describe('a replayed run', () => {
  it('gives its replies again: by role and generation, in their order', async () => {
    const model = replayModel('run', EVENTS);
    const said: string[] = [];
    for (const asked of [
      question('mutate', 1, 'same'),
      question('initialise', 0, 'first'),
      question('mutate', 1, 'same'),
    ]) {
      said.push((await model.complete(asked, never)).text);
    }
    expect(said).toEqual(['two', 'one', 'three']);
  });

  it.each<[string, Question, string, RegExp]>([
    ['another prompt', question('initialise', 0, 'fist'), 'llm/not-recorded', /line 1 on: "fist", not "first"/],
    ['a question that was not asked', question('mutate', 9, 'same'), 'llm/not-recorded', /got none/],
    ['a request that failed', question('mutate', 2, 'failed'), 'llm/timeout', /got a/],
  ])('says that it has none for %s', async (_, asked, code, message) => {
    const error = await failureOf(() => replayModel('run', EVENTS).complete(asked, never));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('loses again what was lost, and counts again what failed', async () => {
    const model = replayModel('run', EVENTS);
    await expect(model.complete(question('cross', 1, 'cross'), never)).rejects.toBeInstanceOf(LostReply);
    await expect(model.complete(question('mutate', 2, 'failed'), never)).rejects.toMatchObject({ usage: USAGE });
  });
});
