import { describe, expect, it } from 'vitest';
import { Rng } from '../../../src/base/rng.ts';
import { parseExpression } from '../../../src/language/check/compile.ts';
import { printInfix } from '../../../src/metric/print.ts';
import { formOf } from '../../../src/search/metrics/candidate.ts';
import type { Evaluated, Proposed } from '../../../src/search/metrics/candidate.ts';
import { dialsOf } from '../../../src/search/metrics/constants.ts';
import type { CandidateOutcome, ProbeOutcome } from '../../../src/search/metrics/events.ts';
import { ReachRule } from '../../../src/search/metrics/reachRule.ts';
import { tuneConstants } from '../../../src/search/metrics/tune.ts';
import { drawTuning, FIRST_STEP, stepped } from '../../../src/search/metrics/tuning.ts';
import { failureOf } from '../../support/expectCoded.ts';

const of = parseExpression('W * X ^ 0.5');
const dial = dialsOf(of, 'exponents').find(({ written }) => written)!;
const tuning = { of, dial, direction: 1, reach: 1 } as const;
const plain: Proposed = {
  ...{ id: 7, generation: 1, operator: 'tune', parents: [3] },
  ...formOf(stepped(tuning, FIRST_STEP)),
};
const candidate: Proposed = { ...plain, tuning };

/** A model whose mask changes by `rate` times the move of the exponent, but not before it has moved by `dead`; beyond `end` nothing is finite. */
function world({ rate = 0.1, dead = 0, end = Infinity, known = [] as readonly number[] }) {
  const asked: number[] = [];
  const effects = {
    probe: (trials: readonly { readonly expression: typeof of }[]): Promise<ProbeOutcome[]> =>
      Promise.resolve(
        trials.map(({ expression }): ProbeOutcome => {
          const exponent = Number(/\^ (\S+)$/.exec(printInfix(expression))?.[1] ?? 1);
          asked.push(exponent);
          if (exponent > end) return { kind: 'invalid', reason: 'not-finite', detail: 'infinite' };
          const moved = Math.abs(Math.log(exponent / 0.5));
          const changed = moved > dead ? rate * moved : 0;
          return { kind: 'ranks', fingerprint: changed === 0 ? 'parent' : String(exponent), whole: true, changed };
        }),
      ),
  };
  const masks = new Set(['parent', ...known.map(String)]);
  const context = { effects, options: {}, knowledge: { hasMask: (mask: string) => masks.has(mask) } };
  return { asked, context };
}

describe('the step of a constant', () => {
  it.each([
    ['at once where the first will do', { rate: 0.2 }, 0.02, [0.553], 0.553],
    ['smaller where too much changes', { rate: 2 }, 0.02, [0.553, 0.506], 0.506],
    ['larger where too little does', { rate: 0.02 }, 0.02, [0.553, 1.11], 1.11],
    ['larger, and again, where nothing does', { rate: 0.02, dead: 0.3 }, 0.02, [0.553, 1.11], 1.11],
    [
      'between what changes nothing and what changes too much',
      { rate: 0.5, dead: 0.15 },
      0.02,
      [0.553, 1.11, 0.663, 0.592],
      0.592,
    ],
    ['smaller where scores are not finite', { end: 0.52, rate: 2 }, 0.02, [0.553, 0.506], 0.506],
    ['further on where the mask is known', { rate: 0.15, known: [0.553] }, 0.02, [0.553, 0.611], 0.611],
  ] as const)('is %s', async (_, model, target, asked, expected) => {
    const made = world(model);
    const [tuned] = await tuneConstants([candidate], target, made.context);
    expect(made.asked).toEqual(asked);
    expect(printInfix(tuned!.expression)).toBe(`W * X ^ ${expected}`);
    expect(tuned).toMatchObject(formOf(tuned!.expression));
    expect(tuned!.probe).toMatchObject({ kind: 'ranks', fingerprint: String(expected) });
  });

  it('is the largest where none changes anything, and no more than four are tried', async () => {
    const made = world({ dead: Infinity });
    const [tuned] = await tuneConstants([candidate], 0.02, made.context);
    // At the limit of exponents a further step is none.
    expect(made.asked).toEqual([0.553, 1.11, 8]);
    expect(tuned!.probe).toMatchObject({ fingerprint: 'parent' });
    expect(printInfix(tuned!.expression)).toBe('W * X ^ 8');
  });

  it('leaves what is no tuning as it is, and asks nothing', async () => {
    const made = world({});
    expect(await tuneConstants([plain], 0.02, made.context)).toEqual([plain]);
    expect(made.asked).toEqual([]);
  });

  it('ends when it is cancelled', async () => {
    const made = world({});
    const context = { ...made.context, options: { signal: AbortSignal.abort() } };
    expect((await failureOf(() => tuneConstants([candidate], 0.02, context))).code).toBe('cancelled');
  });
});

describe('what is tuned', () => {
  it('is a constant that counts, and goes away from its limit', () => {
    const tree = parseExpression('W * X ^ 8');
    const drawn = Array.from({ length: 60 }, (_, seed) => drawTuning(tree, 'exponents', new Rng(seed)));
    const written = drawn.filter((one) => one?.dial.written);
    expect(written.length).toBeGreaterThan(20);
    expect(new Set(written.map((one) => one!.direction))).toEqual(new Set([-1]));
    expect(new Set(drawn.map((one) => one?.dial.node)).size).toBeGreaterThan(1);
  });

  it.each(['W', 'mms(W)', 'sqr(X)'])('is nothing in %s, which ranks the same whatever its numbers are', (text) => {
    for (let seed = 0; seed < 20; seed++) {
      expect(drawTuning(parseExpression(text), 'exponents', new Rng(seed))).toBeUndefined();
    }
  });
});

describe('how much of the mask is to change', () => {
  const parent = evaluated({ kind: 'full', perplexity: 100 });
  it.each([
    ['grows with success', [{ kind: 'full', perplexity: 99 }], 0.03],
    ['shrinks a little without', [{ kind: 'full', perplexity: 101 }], 0.02 * 1.5 ** -0.25],
    [
      'shrinks where it was stopped early, whatever the estimate',
      [{ kind: 'stopped', rung: 0, blocks: 1, perplexity: 90 }],
      0.02 * 1.5 ** -0.25,
    ],
    ['learns nothing of what was not evaluated', [{ kind: 'shared', of: 1, by: 'mask', perplexity: 90 }], 0.02],
    ['learns nothing of what cannot rank', [{ kind: 'invalid', reason: 'not-finite', detail: '' }], 0.02],
    [
      'stays where one in five succeeds',
      [99, 101, 101, 101, 101].map((perplexity) => ({ kind: 'full', perplexity })),
      0.02,
    ],
    ['has an upper end', Array.from({ length: 20 }, () => ({ kind: 'full', perplexity: 99 })), 0.1],
    ['has a lower end', Array.from({ length: 60 }, () => ({ kind: 'full', perplexity: 101 })), 0.001],
  ] as [string, CandidateOutcome[], number][])('%s', (_, outcomes, expected) => {
    const rule = new ReachRule();
    for (const outcome of outcomes) rule.learn(evaluated(outcome), parent);
    expect(rule.target).toBeCloseTo(expected, 12);
  });
});

function evaluated(outcome: CandidateOutcome): Evaluated {
  const loss = outcome.kind === 'invalid' ? Infinity : Math.log(outcome.perplexity);
  return { ...candidate, outcome, loss, stoppedAt: outcome.kind === 'stopped' ? outcome.rung : undefined, identity: 7 };
}
