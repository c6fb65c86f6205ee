import { afterEach, describe, expect, it } from 'vitest';
import { cancelledError, EspalierError } from '../../src/base/errors.ts';
import { SYSTEM_CLOCK } from '../../src/coordinator/clock.ts';
import { DEFAULT_LLM_SETTINGS } from '../../src/search/llm/settings.ts';
import { MAX_REPLY } from '../../src/search/llm/schema.ts';
import { hostModel } from '../../src/llm/hostModel.ts';
import type { Completion } from '../../src/llm/languageModel.ts';
import { ProtocolClient } from '../../src/protocol/client.ts';
import type { AskLanguageModel } from '../../src/protocol/requests.ts';
import { serve } from '../../src/protocol/server.ts';
import type { RequestHandlers } from '../../src/protocol/server.ts';
import { failureOf } from '../support/expectCoded.ts';
import { memoryTransport } from './memoryTransport.ts';

// The editor's language model, asked by a search in a worker: through the real client and server.

let close: (() => void) | undefined;
afterEach(() => close?.());

const usage = { promptTokens: 5, replyTokens: 2 };
const question = { prompt: 'Propose 1', role: 'mutate', generation: 1, idempotencyKey: 'k' } as const;

/** Runs a search that asks the editor, and gives what it was told. */
async function asking(
  ask: AskLanguageModel | undefined,
  { timeout = 5, signal = new AbortController().signal, during = (): void => undefined } = {},
): Promise<Completion> {
  let told: Promise<Completion> | undefined;
  const search: RequestHandlers['search'] = async (_, { askLanguageModel }) => {
    const settings = { ...DEFAULT_LLM_SETTINGS, provider: 'vscode', llm: 'family', timeout } as const;
    told = hostModel(askLanguageModel, settings, SYSTEM_CLOCK).complete(question, signal);
    // The worker answers other requests meanwhile.
    await told.catch(() => undefined);
    return 'finished';
  };
  const ends = memoryTransport();
  const handlers = { search } as RequestHandlers;
  serve(ends.server.reader, ends.server.writer, handlers, { version: '1', pid: 1, log: () => undefined });
  const client = new ProtocolClient(ends.client.reader, ends.client.writer, {
    log: () => undefined,
    onBroken: () => undefined,
  });
  close = () => {
    client.dispose(cancelledError('testing'));
  };
  await client.initialize('1');
  const searching = client.request('search', { folder: '/run' }, ask ? { askLanguageModel: ask } : {});
  during();
  await searching;
  return told!;
}

describe('the editor’s language model', () => {
  it('is asked with family and limits, and its answer reaches the search', async () => {
    const asked: object[] = [];
    const completion = await asking((about) => {
      asked.push(about);
      return Promise.resolve({ text: '[0.3]', usage, model: 'gpt' });
    });
    expect(completion).toEqual({ text: '[0.3]', usage, model: 'gpt' });
    expect(asked).toEqual([{ llm: 'family', prompt: 'Propose 1', temperature: 1, replyTokens: 8192 }]);
  });

  it('that refuses is a coded error', async () => {
    const refused = new EspalierError({
      ...{ code: 'llm/refused', operation: 'o', expected: 'consent', actual: 'none', remedy: 'Allow it.' },
    });
    const error = await failureOf(() => asking(() => Promise.reject(refused)));
    expect([error.code, error.data.actual]).toEqual(['llm/refused', 'none']);
  });

  it.each([
    ['an answer', () => Promise.resolve({ text: 'x'.repeat(MAX_REPLY + 1), usage, model: 'gpt' })],
    ['a failure', () => Promise.reject(new Error('x'.repeat(100_000)))],
  ])('that gives %s which is too long for a message is told so at once, and not asked again', async (_, ask) => {
    expect((await failureOf(() => asking(ask))).code).toBe('protocol/malformed');
  });

  it('that is not there is unreachable', async () => {
    expect((await failureOf(() => asking(undefined))).code).toBe('llm/unreachable');
  });

  it('is told that nobody waits any more when the worker is gone', async () => {
    let withdrawn = false;
    const outcome = failureOf(() =>
      asking((_, signal) => {
        signal.addEventListener('abort', () => {
          withdrawn = true;
        });
        close?.();
        return new Promise(() => undefined);
      }),
    );
    expect((await outcome).code).toBe('cancelled');
    expect(withdrawn).toBe(true);
  });

  it.each(['time is up', 'the run is paused'])('is told that nobody waits any more when %s', async (why) => {
    const controller = new AbortController();
    let withdrawn = false;
    const failing = failureOf(() =>
      asking(
        (_, signal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              withdrawn = true;
              reject(new Error('withdrawn'));
            });
            if (why === 'the run is paused') controller.abort();
          }),
        { timeout: why === 'time is up' ? 0.05 : 100, signal: controller.signal },
      ),
    );
    expect((await failing).code).toBe(why === 'time is up' ? 'llm/timeout' : 'cancelled');
    await expect.poll(() => withdrawn).toBe(true);
  });
});
