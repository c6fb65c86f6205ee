import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codePoints } from '../../src/base/pythonText.ts';
import { WORDS } from '../support/generate/text.ts';
import { argmax, serving } from './serving.ts';
import type { Serving } from './serving.ts';

// The client that most programs ask with.

let tiny: Serving;
let client: OpenAI;
beforeAll(async () => {
  tiny = await serving();
  client = new OpenAI({ baseURL: `${tiny.server.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => tiny.stop());

const PROMPT = [5, 300, 301];
const TEXT = `${WORDS[0]} ${WORDS[1]} é😀`;

/** What the model says by itself, token by token. */
async function greedy(prompt: readonly number[], count: number): Promise<number[]> {
  const ids: number[] = [];
  for (let i = 0; i < count; i++) ids.push(argmax(await tiny.next([...prompt, ...ids])));
  return ids;
}

describe('completions', () => {
  it('go on from a prompt, with usage and log-probabilities', async () => {
    const ids = await greedy(PROMPT, 6);
    const { choices, usage, model, object } = await client.completions.create({
      model: 'tiny',
      prompt: PROMPT,
      max_tokens: 6,
      temperature: 0,
      logprobs: 3,
    });
    expect([object, model, usage]).toEqual([
      'text_completion',
      'tiny',
      { prompt_tokens: 3, completion_tokens: 6, total_tokens: 9 },
    ]);
    const [{ text, finish_reason: finish, logprobs } = {}] = choices;
    expect([text, finish]).toEqual([tiny.tokenizer.decode(ids), 'length']);
    for (const [index, id] of ids.entries()) {
      const next = await tiny.next([...PROMPT, ...ids.slice(0, index)]);
      expect(logprobs!.token_logprobs![index]).toBeCloseTo(next[id]!, 4);
      const best = [...next].sort((a, b) => b - a).slice(0, 3);
      const told = Object.values(logprobs!.top_logprobs![index]!);
      expect(told.length).toBe(3);
      for (const [rank, value] of told.entries()) expect(value).toBeCloseTo(best[rank]!, 4);
    }
  });

  it('answer several prompts, n times each, in their order', async () => {
    const prompts = [PROMPT, [7, 8], [300]];
    const { choices, usage } = await client.completions.create({
      model: 'tiny',
      prompt: prompts,
      n: 2,
      max_tokens: 4,
      temperature: 0,
    });
    expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const [index, prompt] of prompts.entries()) {
      const text = tiny.tokenizer.decode(await greedy(prompt, 4));
      expect([choices[2 * index]!.text, choices[2 * index + 1]!.text]).toEqual([text, text]);
    }
    expect(usage).toEqual({ prompt_tokens: 6, completion_tokens: 24, total_tokens: 30 });
  });

  it('repeat the prompt, and say where each token begins', async () => {
    const { choices } = await client.completions.create({
      model: 'tiny',
      prompt: TEXT,
      echo: true,
      max_tokens: 3,
      temperature: 0,
      logprobs: 0,
    });
    const [{ text, logprobs } = {}] = choices;
    const ids = tiny.tokenizer.encode(TEXT);
    expect(text!.startsWith(TEXT)).toBe(true);
    expect(logprobs!.tokens!.length).toBe(ids.length + 3);
    expect([logprobs!.token_logprobs![0], logprobs!.top_logprobs![0]]).toEqual([null, null]);
    // The token before the text is none of it; half of a character has its bytes for a name.
    expect(logprobs!.tokens!.slice(0, 2)).toEqual(['<s>', WORDS[0]]);
    expect(logprobs!.text_offset!.slice(0, 2)).toEqual([0, 0]);
    expect(logprobs!.tokens).toContain('bytes:\\xc3');
    const characters = Array.from(text!);
    const place = logprobs!.tokens!.indexOf(WORDS[1]);
    expect(characters.slice(logprobs!.text_offset![place]).join('').startsWith(WORDS[1])).toBe(true);
    expect(logprobs!.text_offset![ids.length]).toBe(codePoints(TEXT));
  });

  it('draw alike from the same seed, and otherwise from another', async () => {
    const said = async (seed: number): Promise<string> =>
      (await client.completions.create({ model: 'tiny', prompt: PROMPT, max_tokens: 12, seed, temperature: 1.5 }))
        .choices[0]!.text;
    const [first, again, other] = [await said(3), await said(3), await said(4)];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('list the model', async () => {
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['tiny']);
    expect((await client.models.retrieve('tiny')).id).toBe('tiny');
    await expect(client.models.retrieve('gpt-4')).rejects.toMatchObject({ status: 404, code: 'serve/not-found' });
  });
});

describe('streams', () => {
  it.each([
    { echo: false, stop: null },
    { echo: true, stop: null },
    { echo: false, stop: 'stop' },
  ])('say the same as answers at once: %o', async ({ echo, stop }) => {
    const whole = tiny.tokenizer.decode(await greedy(PROMPT, 10));
    const request = {
      model: 'tiny',
      prompt: [PROMPT, [300]],
      max_tokens: 10,
      temperature: 0,
      logprobs: 2,
      echo,
      stop: stop === null ? null : whole.slice(3, 6),
    };
    const { choices, usage } = await client.completions.create(request);
    const stream = await client.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
    const streamed = choices.map(() => ({ text: '', tokens: [] as string[], offsets: [] as number[], finish: '' }));
    let told: unknown;
    for await (const part of stream) {
      if (part.usage) told = part.usage;
      for (const { index, text, logprobs, finish_reason: finish } of part.choices) {
        const choice = streamed[index]!;
        choice.text += text;
        choice.tokens.push(...logprobs!.tokens!);
        choice.offsets.push(...logprobs!.text_offset!);
        if ((finish as string | null) !== null) choice.finish = finish;
      }
    }
    expect(told).toEqual(usage);
    expect(streamed).toEqual(
      choices.map(({ text, logprobs, finish_reason: finish }) => ({
        text,
        tokens: logprobs!.tokens,
        offsets: logprobs!.text_offset,
        finish,
      })),
    );
  });

  it('end where the client leaves, and the model is free for others', async () => {
    const controller = new AbortController();
    const stream = await client.completions.create(
      { model: 'tiny', prompt: PROMPT, max_tokens: 60, temperature: 1, stream: true, seed: 1 },
      { signal: controller.signal },
    );
    await stream[Symbol.asyncIterator]().next();
    controller.abort();
    const { choices } = await client.completions.create({ model: 'tiny', prompt: PROMPT, max_tokens: 1 });
    expect(choices.length).toBe(1);
  });
});

describe('what is refused', () => {
  it.each<[string, object, number, string, string | null]>([
    ['another model', { model: 'gpt-3.5-turbo-instruct' }, 404, 'serve/not-found', 'model'],
    ['a suffix', { suffix: 'x' }, 400, 'serve/request', 'suffix'],
    ['a penalty', { presence_penalty: 1 }, 400, 'serve/request', 'presence_penalty'],
    ['a bias', { logit_bias: { 50256: -100 } }, 400, 'serve/request', 'logit_bias'],
    ['the best of more', { best_of: 3 }, 400, 'serve/request', 'best_of'],
    ['no prompt', { prompt: null }, 400, 'serve/request', 'prompt'],
    ['an empty prompt', { prompt: [] }, 400, 'serve/request', 'prompt'],
    ['a token that is none', { prompt: [1, 384] }, 400, 'serve/request', 'prompt.1'],
    ['texts and tokens', { prompt: ['a', [1]] }, 400, 'serve/request', 'prompt.1'],
    ['too long a prompt', { prompt: Array.from({ length: 66 }, () => 5) }, 400, 'serve/request', 'prompt'],
    ['too many tokens', { prompt: [5], max_tokens: 64 }, 400, 'serve/request', 'max_tokens'],
    ['too many log-probabilities', { logprobs: 21 }, 400, 'serve/request', 'logprobs'],
    ['too many choices', { n: 1024, prompt: [[5], [6]] }, 413, 'serve/too-large', 'n'],
    ['a field that is not known', { grammar: 'x' }, 400, 'serve/request', null],
  ])('%s, as the client’s own error', async (_, body, status, code, param) => {
    const asked = client.completions.create({ model: 'tiny', prompt: PROMPT, max_tokens: 1, ...body });
    await expect(asked).rejects.toMatchObject({ status, code, param });
    await expect(asked).rejects.toBeInstanceOf(OpenAI.APIError);
  });

  it('chats, by a word about what there is', async () => {
    const asked = client.chat.completions.create({ model: 'tiny', messages: [{ role: 'user', content: 'hi' }] });
    await expect(asked).rejects.toMatchObject({ status: 404, code: 'serve/not-found' });
  });
});

it('fields of other servers pass where they say what is done here anyway', async () => {
  const neutral = {
    suffix: null,
    best_of: 1,
    frequency_penalty: 0,
    logit_bias: {},
    top_k: -1,
    min_p: 0,
    repetition_penalty: 1,
    user: 'me',
  };
  const { choices } = await client.completions.create({ model: 'tiny', prompt: PROMPT, max_tokens: 1, ...neutral });
  expect(choices.length).toBe(1);
});
