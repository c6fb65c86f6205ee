import { describe, expect, it } from 'vitest';
import {
  MAX_FORMULAS,
  MAX_LINE,
  MAX_REPLY_LENGTH,
  replyFormulas,
} from '../../../../src/search/metrics/proposals/replyFormulas.ts';

const formulasOf = (reply: string): readonly string[] => replyFormulas(reply).formulas;
const TWO = ['W * sqrt(X)', 'mul(W, mms(G))'];

describe('formulas in a reply', () => {
  it.each<[name: string, reply: string, formulas: readonly string[]]>([
    ['one a line', 'W * sqrt(X)\nmul(W, mms(G))', TWO],
    ['lines of Windows and of old Macs', 'W * sqrt(X)\r\nmul(W, mms(G))\r', TWO],
    ['numbered with dots', '1. W * sqrt(X)\n2. mul(W, mms(G))', TWO],
    ['numbered with parentheses', '1) W * sqrt(X)\n(2) mul(W, mms(G))', TWO],
    ['numbered with colons and signs', '#1: W * sqrt(X)\n2: mul(W, mms(G))', TWO],
    ['bullets', '- W * sqrt(X)\n* mul(W, mms(G))', TWO],
    ['quoted with back-ticks', '- `W * sqrt(X)`\n- `mul(W, mms(G))`', TWO],
    ['in a fence', 'Sure!\n```\nW * sqrt(X)\nmul(W, mms(G))\n```\nGood luck.', TWO],
    ['in a fence of a language', '```python\nW * sqrt(X)\nmul(W, mms(G))\n```', TWO],
    ['a JSON list', '["W * sqrt(X)", "mul(W, mms(G))"]', TWO],
    ['a JSON list in a fence', '```json\n[\n  "W * sqrt(X)",\n  "mul(W, mms(G))"\n]\n```', TWO],
    ['a JSON object', '{"formulas": ["W * sqrt(X)", "mul(W, mms(G))"]}', TWO],
    [
      'JSON with explanations',
      '[{"formula": "W * sqrt(X)", "why": "Wanda"}, {"id": 2, "formula": "mul(W, mms(G))"}]',
      TWO,
    ],
    ['labels', 'Formula 1: W * sqrt(X)\n**Formula 2:** mul(W, mms(G))', TWO],
    ['assignments', 'score = W * sqrt(X)\nS_ij = mul(W, mms(G));', TWO],
    ['declarations of the language', 'metric a = W * sqrt(X)\nmetric b = mul(W, mms(G))', TWO],
    ['functions of Python', 'def f(W, X):\n    return W * sqrt(X)\nlambda W, G: mul(W, mms(G))', TWO],
    ['explanations behind a comment', 'W * sqrt(X)  # Wanda\nmul(W, mms(G)) // with gradients', TWO],
    ['explanations behind a dash', 'W * sqrt(X) — Wanda\nmul(W, mms(G)) - uses the gradient', TWO],
    ['explanations in parentheses', 'W * sqrt(X) (Wanda)\nmul(W, mms(G)) (scaled, by layer)', TWO],
    ['perplexities, as the prompt shows them', 'W * sqrt(X): 104.2\nmul(W, mms(G)): 103.9', TWO],
    ['a table', '| # | formula | why |\n|---|---|---|\n| 1 | W * sqrt(X) | Wanda |\n| 2 | mul(W, mms(G)) | new |', TWO],
    ['emphasis', '**W * sqrt(X)**\n1. **mul(W, mms(G))**', TWO],
    ['quotes', '"W * sqrt(X)"\n\'mul(W, mms(G))\'', TWO],
    ['thoughts before the answer', '<think>\nMaybe W * G?\n</think>\nW * sqrt(X)\nmul(W, mms(G))', TWO],
    ['thoughts that the template opened', 'W * G is known.\n</think>\nW * sqrt(X)\nmul(W, mms(G))', TWO],
    ['a marked answer', 'W * G was tried.\n<answer>\nW * sqrt(X)\nmul(W, mms(G))\n</answer>', TWO],
    [
      'prose around them',
      'Weights W and inputs X matter.\n\nW * sqrt(X)\n\nTry also:\nmul(W, mms(G))\nAll use W.',
      TWO,
    ],
    ['a legend', 'W: weight magnitude of a layer\nX: input norm of a feature\nW * sqrt(X)', ['W * sqrt(X)']],
    [
      'other signs for operators',
      'W × sqrt(X)\nW · G − X\nW**2 * X\n(W + X) ** 0.5',
      ['W * sqrt(X)', 'W * G - X', 'W^2 * X', '(W + X) ^ 0.5'],
    ],
    ['a number that it begins with', '2.5 * W\n3. 0.5 * W', ['2.5 * W', '0.5 * W']],
    ['a difference', 'W - X\nW - sqrt(X)', ['W - X', 'W - sqrt(X)']],
    [
      'what the language cannot read, as it stands',
      '|W| * ||X||_2\ntorch.abs(W) * X.sqrt()\n\\sqrt{X} \\cdot W',
      ['|W| * ||X||_2', 'torch.abs(W) * X.sqrt()', '\\sqrt{X} \\cdot W'],
    ],
    ['nothing', '', []],
    ['prose alone', 'I am sorry, but I cannot help with that.', []],
    ['a thought without end', '<think>\nW * sqrt(X)', []],
  ])('%s', (_, reply, formulas) => {
    expect(formulasOf(reply)).toEqual(formulas);
  });

  it('are bounded in number and in length, and nothing is read of a reply without end', () => {
    const many = 'W * X\n'.repeat(MAX_FORMULAS + 7);
    expect(replyFormulas(many)).toEqual({ formulas: new Array(MAX_FORMULAS).fill('W * X'), unread: 7 });
    const [long] = formulasOf(`W${' * W'.repeat(MAX_LINE)}`);
    expect(long).toHaveLength(MAX_LINE + 1);
    expect(formulasOf('W * X\n'.repeat(MAX_REPLY_LENGTH))).toEqual([]);
  });

  it.each([
    ['blanks', 'W' + ' '.repeat(900_000) + 'X'],
    ['blanks in lines', ('W' + ' '.repeat(7000) + '\n').repeat(100)],
    ['stars', '*'.repeat(900_000)],
    ['list marks', '1. '.repeat(300_000)],
    ['opening parentheses', ('W ' + '('.repeat(7000) + '\n').repeat(120)],
    ['notes', ('W ' + ' (a'.repeat(2500) + '\n').repeat(100)],
    ['letters', ('a'.repeat(7900) + '\n').repeat(110)],
    ['words', ('a '.repeat(3900) + 'W\n').repeat(110)],
    ['brackets of JSON', '['.repeat(900_000)],
    ['thoughts', '<think>'.repeat(100_000)],
  ])('take time in proportion to the length: %s', (_, reply) => {
    // A quadratic step would take minutes here, and the test would run out of time.
    expect(formulasOf(reply).length).toBeLessThanOrEqual(MAX_FORMULAS);
  });
});
