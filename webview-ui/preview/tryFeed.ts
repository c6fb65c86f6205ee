import type { Asked, Exchange, FromTry, ShownAnswer, ToTry, TryState } from '../../src/view/tryMessages.ts';
import { applyTheme } from './themes.ts';
import type { ThemeName } from './themes.ts';

/**
 * Stands in for the extension behind *Try it* in a plain browser page: `#state=answering&theme=light`, where the state is `empty`, `opening`,
 * `answering`, `done`, `failed`, `dense` or `long`. What is asked is answered, a word every tenth of a second.
 */
const query = new URLSearchParams(location.hash.slice(1));
const WORD = 100;

applyTheme((query.get('theme') ?? 'dark') as ThemeName);

const asked: Asked = {
  prompt: 'The town of Gambia was first settled by',
  ...{ most: 48, temperature: 0, seed: 0, stops: [] },
};
const DENSE =
  ' the French in the 17th century , and was the first European settlement in the region . The town was named after the river , which flows through the town and into the Atlantic .\n\n';
const PRUNED =
  ' the French in the 19th century . The name of the town is the name of the town of the town of the town , and the town of the town was the first of the town of the town .';
const SLOW =
  ' the first , the first , the first , and the first , and the first of the first , and the first @-@ first of';

const answer = (of: string, changes: Partial<ShownAnswer> = {}): ShownAnswer => ({
  ...{ of, state: { kind: 'waiting' }, text: '', tokens: 0, perSecond: null, prompt: null },
  ...changes,
});
const done = (of: string, text: string, perSecond: number, changes: Partial<ShownAnswer> = {}): ShownAnswer =>
  answer(of, {
    ...{ state: { kind: 'done', end: 'most' }, text, tokens: 48, perSecond, prompt: { tokens: 9, seconds: 0.11 } },
    ...changes,
  });
const exchange = (id: number, answers: readonly ShownAnswer[], changes: Partial<Asked> = {}): Exchange => ({
  ...{ id, model: 'wikitext-llama-6m', asked: { ...asked, ...changes }, answers },
});

const dense = done('dense', DENSE, 212.4);
const wanda = done('wanda at 50 %', PRUNED, 209.7);
const ERROR = {
  code: 'evaluation/too-large',
  operation: 'opening mine at 50 %',
  expected: 'room for 26 GB on the disk that holds temporary files',
  actual: '11 GB free in /tmp',
  remedy: 'Make room, or set TMPDIR to a folder on a larger disk.',
} as const;

const EXCHANGES: Readonly<Record<string, readonly Exchange[]>> = {
  empty: [],
  opening: [
    exchange(1, [
      dense,
      answer('wanda at 50 %', { state: { kind: 'opening', detail: 'pruning · block 3 of 6', share: 0.42 } }),
    ]),
  ],
  answering: [
    exchange(1, [
      dense,
      answer('wanda at 50 %', {
        ...{ state: { kind: 'answering' }, text: PRUNED.slice(0, 61), tokens: 17, perSecond: 208.1 },
      }),
    ]),
  ],
  done: [
    exchange(1, [dense, wanda, done('wanda-sp at 30 % of heads and channels', SLOW, 301.5)]),
    exchange(2, [dense, { ...dense, of: 'wanda at 50 %', perSecond: 211 }], { prompt: 'In 1914 ,' }),
    exchange(
      3,
      [
        done('dense', ' a small village', 199, { state: { kind: 'done', end: 'stop' }, tokens: 3 }),
        answer('wanda at 50 %', { state: { kind: 'stopped' }, text: ' the game', tokens: 2, perSecond: 180 }),
      ],
      { prompt: 'Robert is\nan English', temperature: 0.8, seed: 3, stops: ['\n\n', ' . '] },
    ),
  ],
  failed: [exchange(1, [dense, answer('mine at 50 %', { state: { kind: 'failed', error: ERROR } })])],
  dense: [exchange(1, [dense])],
  long: [
    exchange(
      1,
      [
        done('dense', DENSE.repeat(8), 212),
        done('a-metric-with-quite-a-long-name-that-somebody-gave-it at 62.5 % then sparsegpt', PRUNED.repeat(8), 20.1),
      ],
      { prompt: 'Once upon a time\n'.repeat(30) },
    ),
  ],
};

const kind = query.get('state') ?? 'done';
let state: TryState = {
  subject: { model: 'wikitext-llama-6m', pruned: kind === 'dense' ? null : 'wanda at 50 %' },
  exchanges: EXCHANGES[kind] ?? [],
  isBusy: kind === 'opening' || kind === 'answering',
};

(globalThis as unknown as Record<string, unknown>)['acquireVsCodeApi'] = () => ({
  postMessage: (message: FromTry) => {
    if (message.kind === 'ready') send({ kind: 'state', state });
    if (message.kind === 'ask') void reply(message.asked);
    if (message.kind === 'forget') send({ kind: 'state', state: (state = { ...state, exchanges: [] }) });
  },
  getState: () => ({ ...{ prompt: asked.prompt, most: '48', temperature: '0', seed: '0', stops: '' } }),
  setState: () => undefined,
});

async function reply(of: Asked): Promise<void> {
  const id = state.exchanges.length + 1;
  const waiting = exchange(id, [answer('dense'), answer('wanda at 50 %')], of);
  state = { ...state, exchanges: [...state.exchanges, waiting], isBusy: true };
  send({ kind: 'state', state });
  const answers: ShownAnswer[] = [];
  for (const [place, finished] of [dense, wanda].entries()) {
    send({ kind: 'answer', exchange: id, place, answer: answer(finished.of, { state: { kind: 'answering' } }) });
    for (const [tokens, text] of finished.text.split(/(?= )/).entries()) {
      await new Promise((resolve) => setTimeout(resolve, WORD));
      send({ kind: 'piece', exchange: id, place, piece: { text, tokens: tokens + 1, perSecond: 1000 / WORD } });
    }
    send({ kind: 'answer', exchange: id, place, answer: finished });
    answers.push(finished);
  }
  const whole = { ...waiting, answers };
  state = { ...state, exchanges: state.exchanges.map((one) => (one.id === id ? whole : one)), isBusy: false };
  send({ kind: 'state', state });
}

function send(message: ToTry): void {
  dispatchEvent(new MessageEvent('message', { data: structuredClone(message) }));
}
