import { describe, expect, it } from 'vitest';
import type { ShownAnswer } from '../../src/view/tryMessages.ts';
import {
  askedWords,
  commonLength,
  parseStops,
  printStops,
  samenessWords,
  speedWords,
  spokenAnswer,
  stateWords,
} from '../../webview-ui/try/words.ts';

const answer = (changes: Partial<ShownAnswer> = {}): ShownAnswer => ({
  ...{ of: 'wanda at 50 %', state: { kind: 'waiting' }, text: '', tokens: 0, perSecond: null, prompt: null },
  ...changes,
});
const done = (text: string, perSecond = 20): ShownAnswer =>
  answer({ state: { kind: 'done', end: 'most' }, text, tokens: 3, perSecond });

describe('stop texts', () => {
  it.each<[typed: string, stops: readonly string[]]>([
    ['', []],
    ['\n\n', []],
    ['\\n\\n', ['\n\n']],
    ['Question:\n</s>', ['Question:', '</s>']],
    [' . ', [' . ']],
    ['\\\\n', ['\\n']],
    ['a\\tb\\x', ['a\tb\\x']],
    ['same\nsame', ['same']],
  ])('%j are %j', (typed, stops) => {
    expect(parseStops(typed)).toEqual(stops);
  });

  it.each([[['\n\n', 'a\\nb', '\tc']], [[' ', '\\']]])('%j are read back as they were written', (stops) => {
    expect(parseStops(printStops(stops))).toEqual(stops);
  });
});

describe('how far an answer is the dense one', () => {
  it.each<[a: string, b: string, common: string]>([
    [' the 17th century', ' the 19th century', ' the '],
    [' the French', ' the French', ' the French'],
    [' the', ' the French', ' the'],
    ['a b', 'c d', ''],
    ['x 😀 y', 'x 😁 y', 'x '],
    ['', 'anything', ''],
  ])('%j and %j share %j', (a, b, common) => {
    expect(a.slice(0, commonLength(a, b))).toBe(common);
  });

  it.each<[a: ShownAnswer, b: ShownAnswer, words: string]>([
    [done(' the 17th'), done(' the 19th'), 'as dense for the first word'],
    [done(' in the 17th'), done(' in the 19th'), 'as dense for the first 2 words'],
    [done(' one'), done(' other'), 'differs from dense at once'],
    [done(' same'), done(' same'), 'word for word as dense'],
    [answer({ state: { kind: 'answering' }, text: ' sa' }), done(' same'), ''],
    [answer({ state: { kind: 'stopped' }, text: ' same' }), done(' same'), ''],
    [answer(), done(' same'), ''],
  ])('%#: %s', (own, dense, words) => {
    expect(samenessWords(own, dense)).toBe(words);
  });
});

describe('what stands at an answer', () => {
  it.each<[words: string, changes: Partial<ShownAnswer>]>([
    ['waiting for the answer before it …', {}],
    ['pruning · 42 %', { state: { kind: 'opening', detail: 'pruning', share: 0.429 } }],
    ['reading the model …', { state: { kind: 'opening', detail: 'reading the model', share: null } }],
    ['reading the prompt …', { state: { kind: 'answering' } }],
    ['1 token …', { state: { kind: 'answering' }, tokens: 1 }],
    ['2 tokens, up to a stop text', { state: { kind: 'done', end: 'stop' }, tokens: 2 }],
    [
      '64 tokens, as many as asked for · prompt of 12 tokens read in 0.3 s',
      { state: { kind: 'done', end: 'most' }, tokens: 64, prompt: { tokens: 12, seconds: 0.31 } },
    ],
    ['stopped before the first token', { state: { kind: 'stopped' } }],
    ['stopped after 2 tokens', { state: { kind: 'stopped' }, tokens: 2 }],
  ])('%s', (words, changes) => {
    expect(stateWords(answer(changes))).toBe(words);
  });

  it('is its speed, and once both are measured how it stands to the dense one', () => {
    const dense = done('', 10);
    expect(speedWords(answer(), dense)).toBe('');
    expect(speedWords(done('', 14.2), dense)).toBe('14.2 tokens/s, ×1.42 of dense');
    expect(speedWords(done('', 14.2), undefined)).toBe('14.2 tokens/s');
    expect(speedWords(answer({ state: { kind: 'answering' }, perSecond: 14.2 }), dense)).toBe('14.2 tokens/s');
  });

  it('is read out when it has come to something, with its text', () => {
    expect(spokenAnswer(answer())).toBe('');
    expect(spokenAnswer(answer({ state: { kind: 'answering' } }))).toBe('wanda at 50 % answers');
    expect(spokenAnswer(done(' the end'))).toBe('wanda at 50 %: 3 tokens, as many as asked for.  the end');
  });

  it('is asked in words', () => {
    const asked = { prompt: 'x', most: 1, temperature: 0, seed: 0, stops: [] };
    expect(askedWords(asked)).toBe('1 token at most · the likeliest token each time');
    expect(askedWords({ ...asked, most: 64, temperature: 0.7, seed: 3, stops: ['\n', 'Q:'] })).toBe(
      '64 tokens at most · temperature 0.7, seed 3 · until “\\n” or “Q:”',
    );
  });
});
