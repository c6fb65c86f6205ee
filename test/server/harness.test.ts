import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer } from '../../src/server/startServer.ts';
import { argmax, complete, serving } from './serving.ts';
import type { Completion, Serving } from './serving.ts';

// The requests of lm-evaluation-harness's `local-completions` (main of August 2026, lm_eval/models/openai_completions.py and api_models.py), field by
// field, and what it reads in the answers. The client itself was run by hand against the command, see docs/tasks.md.

let tiny: Serving;
beforeAll(async () => {
  tiny = await serving();
});
afterAll(() => tiny.stop());

/** What it measures: context and continuation, as token ids. */
interface Pair {
  readonly context: readonly number[];
  readonly continuation: readonly number[];
}

const PAIRS: readonly Pair[] = [
  { context: [5, 300, 301, 17], continuation: [302, 44] },
  { context: [5, 300, 301, 17], continuation: [99] },
  { context: [0, 310], continuation: [12, 13, 14, 15, 16, 17, 18] },
  { context: [250], continuation: [251, 252, 253] },
  // As long as the model is: the harness is told one token more (max_length), since it keeps one place free.
  { context: Array.from({ length: 60 }, (_, i) => 20 + i), continuation: [101, 102, 103, 104] },
];

/** `_create_payload` for log-likelihoods. */
const asked = (prompt: unknown): object => ({
  model: 'tiny',
  prompt,
  temperature: 0,
  max_tokens: 1,
  logprobs: 1,
  seed: 1234,
  echo: true,
});

/** `parse_logprobs`: what stands between the context and the one token that was generated. */
function parsed({ choices }: Completion, pairs: readonly Pair[]): readonly (readonly [number, boolean])[] {
  return choices
    .toSorted((a, b) => a.index - b.index)
    .map(({ logprobs }, index) => {
      const from = pairs[index]!.context.length;
      const tokens = logprobs!.token_logprobs.slice(from, -1) as number[];
      const tops = logprobs!.top_logprobs.slice(from, -1);
      const isGreedy = tokens.every((token, i) => token === Math.max(...Object.values(tops[i]!)));
      return [tokens.reduce((sum, token) => sum + token, 0), isGreedy] as const;
    });
}

/** Each token by a pass over exactly what is before it. */
async function direct({ context, continuation }: Pair): Promise<readonly [number, boolean]> {
  let sum = 0;
  let isGreedy = true;
  for (const [index, id] of continuation.entries()) {
    const next = await tiny.next([...context, ...continuation.slice(0, index)]);
    sum += next[id]!;
    isGreedy &&= argmax(next) === id;
  }
  return [sum, isGreedy];
}

async function expectDirect(found: readonly (readonly [number, boolean])[], pairs: readonly Pair[]): Promise<void> {
  expect(found.length).toBe(pairs.length);
  for (const [index, pair] of pairs.entries()) {
    const [sum, isGreedy] = await direct(pair);
    expect(Math.abs(found[index]![0] - sum)).toBeLessThan(1e-4 * Math.abs(sum));
    expect(found[index]![1]).toBe(isGreedy);
  }
}

const idsOf = ({ context, continuation }: Pair): number[] => [...context, ...continuation];

/** A continuation that the model would choose itself. */
async function greedyPair(): Promise<Pair> {
  const context = [5, 300];
  const continuation: number[] = [];
  for (let i = 0; i < 4; i++) continuation.push(argmax(await tiny.next([...context, ...continuation])));
  return { context, continuation };
}

describe('log-likelihoods as the harness asks for them', () => {
  it('token ids, one request at a time, are those of direct passes', async () => {
    for (const pair of [...PAIRS, await greedyPair()])
      await expectDirect(parsed(await complete(tiny.server, asked([idsOf(pair)])), [pair]), [pair]);
  });

  it('token ids in batches are, too, in the order of the prompts', async () => {
    const pairs = [await greedyPair(), ...PAIRS];
    await expectDirect(parsed(await complete(tiny.server, asked(pairs.map(idsOf))), pairs), pairs);
  });

  it('texts are tokenised as the harness counts them where prompts are plain', async () => {
    const plain = await tiny.start({ special: false });
    const texts = [
      ['the house of', ' a river and the'],
      ['and the', ' valley'],
    ] as const;
    const pairs = texts.map(([context, continuation]) => {
      const whole = tiny.tokenizer.encode(context + continuation, { special: false });
      const { length } = tiny.tokenizer.encode(context, { special: false });
      return { context: [...whole.slice(0, length)], continuation: [...whole.slice(length)] };
    });
    const answer = await complete(plain, asked(texts.map((parts) => parts.join(''))));
    await expectDirect(parsed(answer, pairs), pairs);
  });

  it('a request with max_tokens 0, as older versions send it, has one place less', async () => {
    const pair = PAIRS[0]!;
    const { choices } = await complete(tiny.server, { ...asked([idsOf(pair)]), max_tokens: 0 });
    const [sum] = await direct(pair);
    const tokens = choices[0]!.logprobs!.token_logprobs;
    expect(tokens.length).toBe(idsOf(pair).length);
    expect(tokens.slice(pair.context.length).reduce<number>((total, token) => total + token!, 0)).toBeCloseTo(sum, 4);
  });

  it('a token that ends the text still has its place: the harness leaves the last one out', async () => {
    const end = argmax(await tiny.next([5]));
    const ended = { ...tiny.served, ends: new Set([end]) };
    const server = await startServer(ended, { host: '127.0.0.1', port: 0, special: true });
    const { choices } = await complete(server, asked([[5]]));
    await server.close();
    const [choice] = choices;
    expect(choice!.logprobs!.token_logprobs.length).toBe(2);
    expect(choice!.finish_reason).toBe('stop');
  });
});

describe('generation as the harness asks for it', () => {
  it('is greedy, and ends before the first of its stops', async () => {
    const prompt = [5, 300, 301];
    const ids: number[] = [];
    for (let i = 0; i < 12; i++) ids.push(argmax(await tiny.next([...prompt, ...ids])));
    const whole = tiny.tokenizer.decode(ids);
    const request = { prompt: [prompt], model: 'tiny', max_tokens: 12, temperature: 0, seed: 1234 };
    const said = async (stop: readonly string[]): Promise<string> =>
      (await complete(tiny.server, { ...request, stop })).choices[0]!.text;
    expect(await said([])).toBe(whole);
    const stop = whole.slice(5, 8);
    expect(await said(['\n\n\n', stop])).toBe(whole.slice(0, whole.indexOf(stop)));
  });
});
