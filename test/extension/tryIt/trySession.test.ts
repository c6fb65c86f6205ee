import { beforeEach, describe, expect, it } from 'vitest';
import { cancelledError, EspalierError } from '../../../src/base/errors.ts';
import type { ErrorCode } from '../../../src/base/errors.ts';
import type { Generated, GeneratedToken, Generating, ServedPlan } from '../../../src/experiment/generationSchema.ts';
import { TrySession } from '../../../src/extension/tryIt/trySession.ts';
import { denseSubject, trySubject } from '../../../src/extension/tryIt/trySubject.ts';
import type { RequestHooks } from '../../../src/protocol/requests.ts';
import type { Asked, Exchange, ToTry } from '../../../src/view/tryMessages.ts';
import { samplePlan } from '../../protocol/samples.ts';
import { FakeClock, settle } from '../fakeWorker.ts';

const asked: Asked = { prompt: 'Once', most: 4, temperature: 0, seed: 0, stops: [] };
const wanda = trySubject(samplePlan());
const mine = trySubject(samplePlan({ evaluations: [{ ...samplePlan().evaluations[0]!, metric: 'mine' }] }));

/** What the worker was asked. */
let told: string[];
/** What the next question is refused with. */
let refuse: ErrorCode | undefined;
/** One token of what is generated now, and its end. */
let say: (text: string) => void;
let finish: () => void;
let clock: FakeClock;
/** What a page has, of all that was posted. */
let page: { exchanges: Exchange[]; isBusy: boolean };
let session: TrySession;

beforeEach(() => {
  told = [];
  refuse = undefined;
  clock = new FakeClock();
  page = { exchanges: [], isBusy: false };
  let next = 1;
  session = new TrySession(
    {
      open: (plan) => {
        told.push(`open ${nameOf(plan)}`);
        return Promise.resolve({
          ...{ served: next++, name: nameOf(plan), model: plan.model, fingerprint: '0'.repeat(64), parameters: 1 },
          ...{ vocabulary: 2, length: 8, ends: [], streams: false, cacheBytes: 1 },
        });
      },
      close: ({ served }) => {
        told.push(`close ${served}`);
        return Promise.resolve({});
      },
      generate,
      post: (message) => {
        page = received(page, structuredClone(message));
      },
      clock,
    },
    wanda,
  );
});

function nameOf({ evaluations: [evaluation] }: ServedPlan): string {
  return evaluation?.metric ?? 'dense';
}

function generate(question: Generating, hooks: RequestHooks = {}): Promise<Generated> {
  const { served, prompts, ...how } = question;
  told.push(`generate ${served} ${String(prompts[0])} ${JSON.stringify(how)}`);
  if (refuse) {
    const code = refuse;
    refuse = undefined;
    return Promise.reject(failure(code));
  }
  return new Promise((resolve, reject) => {
    let text = '';
    let ids = 0;
    say = (piece) => {
      text += piece;
      ids++;
      const token: GeneratedToken = { prompt: 0, id: 1, text: piece };
      hooks.onToken?.(token);
    };
    finish = () => {
      resolve({
        answers: [{ text, ids: Array.from({ length: ids }, () => 1), end: 'most', promptTokens: 2 }],
        ...{ prefill: { tokens: 2, seconds: 0.5 }, decode: { tokens: ids - 1, seconds: 2 }, cacheBytes: 1 },
      });
    };
    hooks.signal?.addEventListener('abort', () => {
      reject(cancelledError('generating'));
    });
  });
}

function failure(code: ErrorCode): EspalierError {
  return new EspalierError({ code, operation: 'asking', expected: 'a', actual: 'b', remedy: 'c' });
}

/** A page that keeps what it is told. */
function received(before: typeof page, message: ToTry): typeof page {
  if (message.kind === 'state') return { exchanges: [...message.state.exchanges], isBusy: message.state.isBusy };
  const exchanges = before.exchanges.map((exchange) => {
    if (exchange.id !== message.exchange) return exchange;
    const answers = exchange.answers.map((answer, place) => {
      if (place !== message.place) return answer;
      return message.kind === 'answer'
        ? message.answer
        : { ...answer, ...message.piece, text: answer.text + message.piece.text };
    });
    return { ...exchange, answers };
  });
  return { ...before, exchanges };
}

const shown = (): string[] =>
  page.exchanges.flatMap(({ id, answers }) =>
    answers.map(({ of, state, text }) => `${id} ${of}: ${state.kind}${text === '' ? '' : ` “${text}”`}`),
  );

async function answerWith(text: string): Promise<void> {
  await settle();
  say(text);
  finish();
  await settle();
}

describe('asking', () => {
  it('is answered by the dense and then by the pruned model, token by token', async () => {
    const ended = session.ask(asked);
    await settle();
    expect(shown()).toEqual(['1 dense: answering', '1 wanda at 50 %: waiting']);
    say(' upon');
    expect(shown()[0]).toBe('1 dense: answering “ upon”');
    await answerWith(' a');
    expect(shown()).toEqual(['1 dense: done “ upon a”', '1 wanda at 50 %: answering']);
    expect(page.isBusy).toBe(true);
    await answerWith(' the');
    await ended;
    expect(shown()[1]).toBe('1 wanda at 50 %: done “ the”');
    expect(page.isBusy).toBe(false);
    const generated = (served: number): string => `generate ${served} Once {"most":4}`;
    expect(told).toEqual(['open dense', generated(1), 'open wanda', generated(2)]);
  });

  it('says how fast tokens come, the first aside, and in the end what the engine measured', async () => {
    void session.ask(asked);
    await settle();
    const speed = (): number | null => page.exchanges[0]!.answers[0]!.perSecond;
    await clock.pass(1000);
    say('a');
    expect(speed()).toBeNull();
    await clock.pass(500);
    say('b');
    await clock.pass(500);
    say('c');
    expect(speed()).toBe(2);
    finish();
    await settle();
    const measured = { perSecond: 1, prompt: { tokens: 2, seconds: 0.5 }, tokens: 3 };
    expect(page.exchanges[0]!.answers[0]).toMatchObject(measured);
  });

  it('draws with the same seed for both', async () => {
    void session.ask({ ...asked, temperature: 0.5, seed: 7, stops: ['\n'] });
    await answerWith('x');
    const how = JSON.stringify({ most: 4, stops: ['\n'], temperature: 0.5, seed: 7 });
    expect(told).toEqual(['open dense', `generate 1 Once ${how}`, 'open wanda', `generate 2 Once ${how}`]);
  });

  it('shows how far the pruned model is before it can answer', async () => {
    const states: string[] = [];
    const slow = new TrySession(
      {
        open: (_, hooks) => {
          hooks?.onProgress?.({ stage: 'pruning', done: 1, total: 4, detail: 'block 1 of 4' });
          return Promise.reject(failure('io/write'));
        },
        ...{ close: () => Promise.resolve({}), generate, clock },
        post: (message) => {
          if (message.kind === 'answer' && message.place === 1) states.push(JSON.stringify(message.answer.state));
        },
      },
      wanda,
    );
    await slow.ask(asked);
    expect(states).toEqual([
      '{"kind":"opening","detail":"pruning and writing wanda at 50 % first","share":null}',
      '{"kind":"opening","detail":"block 1 of 4","share":0.25}',
      expect.stringContaining('"code":"io/write"'),
    ]);
  });

  it('keeps models open from prompt to prompt', async () => {
    void session.ask(asked);
    await answerWith('x');
    await answerWith('y');
    void session.ask({ ...asked, prompt: 'Twice' });
    await answerWith('z');
    expect(told.filter((one) => one.startsWith('open'))).toEqual(['open dense', 'open wanda']);
    expect(shown()).toContain('2 dense: done “z”');
  });
});

describe('another result', () => {
  it('is asked the same, beside what was said; what is asked no more is closed', async () => {
    void session.ask(asked);
    await answerWith('x');
    await answerWith('y');
    session.show(mine);
    void session.ask(session.last!);
    await answerWith('z');
    expect(shown()).toEqual(['1 dense: done “x”', '1 wanda at 50 %: done “y”', '1 mine at 50 %: done “z”']);
    expect(told.slice(4)).toEqual(['close 2', 'open mine', 'generate 3 Once {"most":4}']);
  });

  it('of the same name on another calibration is told apart, and its dense model is not', () => {
    session.show(trySubject(samplePlan({ calibration: '/data/other.txt' })));
    expect(session.shown.pruned?.label).toBe('wanda at 50 % (2)');
    expect(session.shown.dense.label).toBe('dense');
    session.show(wanda);
    expect(session.shown.pruned?.label).toBe('wanda at 50 %');
  });

  it('once all have answered, the same prompt is a question of its own', async () => {
    session.show(denseSubject('/models/tiny', {}));
    void session.ask(asked);
    await answerWith('x');
    void session.ask(asked);
    await answerWith('x');
    expect(shown()).toEqual(['1 dense: done “x”', '2 dense: done “x”']);
  });
});

describe('what does not come to its end', () => {
  it('stays as far as it was, and is asked again in its place', async () => {
    void session.ask(asked);
    await settle();
    say(' up');
    session.receive({ kind: 'stop' });
    await settle();
    expect(shown()).toEqual(['1 dense: stopped “ up”', '1 wanda at 50 %: stopped']);
    expect(page.isBusy).toBe(false);
    void session.ask(asked);
    await answerWith('x');
    expect(shown()).toEqual(['1 dense: done “x”', '1 wanda at 50 %: answering']);
  });

  it('is stopped by the next question', async () => {
    void session.ask(asked);
    await settle();
    void session.ask({ ...asked, prompt: 'Twice' });
    await answerWith('x');
    expect(shown().slice(0, 3)).toEqual(['1 dense: stopped', '1 wanda at 50 %: stopped', '2 dense: done “x”']);
  });

  it('fails with its code, and the other answers', async () => {
    refuse = 'evaluation/not-finite';
    void session.ask(asked);
    await answerWith('x');
    const { state } = page.exchanges[0]!.answers[0]!;
    expect(state).toMatchObject({ kind: 'failed', error: { code: 'evaluation/not-finite' } });
    expect(shown()[1]).toBe('1 wanda at 50 %: done “x”');
  });

  it('is begun again where the worker has closed the models meanwhile', async () => {
    refuse = 'engine/invariant';
    void session.ask(asked);
    await answerWith('x');
    const generated = (served: number): string => `generate ${served} Once {"most":4}`;
    expect(told.slice(0, 4)).toEqual(['open dense', generated(1), 'open dense', generated(2)]);
    expect(shown()[0]).toBe('1 dense: done “x”');
  });

  it('opens everything anew after the worker has ended: its numbers are those of others by then', async () => {
    void session.ask(asked);
    await answerWith('x');
    await answerWith('y');
    session.workerEnded();
    void session.ask({ ...asked, prompt: 'Twice' });
    await answerWith('z');
    expect(told.filter((one) => one.startsWith('open'))).toEqual([
      'open dense',
      'open wanda',
      'open dense',
      'open wanda',
    ]);
    expect(told).toContain('generate 3 Twice {"most":4}');
  });
});

describe('the history', () => {
  it('is forgotten but for what is being answered', async () => {
    void session.ask(asked);
    await answerWith('x');
    await answerWith('y');
    void session.ask({ ...asked, prompt: 'Twice' });
    await settle();
    session.receive({ kind: 'forget' });
    expect(shown()).toEqual(['2 dense: answering', '2 wanda at 50 %: waiting']);
  });

  it('is told to a page that comes back', async () => {
    void session.ask(asked);
    await answerWith('x');
    page = { exchanges: [], isBusy: false };
    session.receive({ kind: 'ready' });
    expect(shown()).toEqual(['1 dense: done “x”', '1 wanda at 50 %: answering']);
  });

  it('ends with the panel, and nothing is said any more', async () => {
    void session.ask(asked);
    await settle();
    const before = structuredClone(page);
    await session.dispose();
    expect(page).toEqual(before);
  });
});
