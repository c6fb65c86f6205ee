import { describe, expect, it } from 'vitest';
import type { MetricCandidate } from '../../src/search/metrics/events.ts';
import { certainPart, correlate } from '../../webview-ui/panel/metrics/correlations.ts';
import { niceTicks, perplexityScale } from '../../webview-ui/panel/common/perplexityScale.ts';
import { DEFAULT_QUERY, queryMetrics } from '../../webview-ui/panel/metrics/tableModel.ts';
import type { TableQuery } from '../../webview-ui/panel/metrics/tableModel.ts';
import { lineage, outcomeInFull, roughly } from '../../webview-ui/panel/common/words.ts';

const candidate = (id: number, changes: Partial<MetricCandidate>): MetricCandidate => ({
  id,
  generation: 0,
  operator: 'grow',
  parents: [],
  expression: 'W',
  size: 1,
  depth: 1,
  outcome: { kind: 'full', perplexity: 200 },
  ...changes,
});

describe('the scale of perplexities', () => {
  it.each<[string, number[], number[], string, [number, number]]>([
    ['nothing', [], [], 'linear', [0, 0]],
    ['values close to each other', [150, 160, 170], [143], 'linear', [143, 170]],
    ['a few terrible ones', [...Array<number>(20).fill(160), 1e6, 1e9], [143], 'linear', [143, 160]],
    ['many bad ones', [150, 300, 900, 1200], [143], 'logarithmic', [143, 1200]],
    ['wreckage only', [1e8, 1e9], [143], 'logarithmic', [143, 1430]],
    ['one that is not finite', [150, Infinity], [143], 'linear', [143, 150]],
  ])('of %s', (_, values, references, kind, [min, max]) => {
    const scale = perplexityScale(values, references);
    expect(scale.kind).toBe(kind);
    expect(scale.min).toBeLessThanOrEqual(min);
    expect(scale.max).toBeGreaterThanOrEqual(max);
    expect(scale.max).toBeLessThanOrEqual(max * 1.2);
    expect(scale.above).toBe(values.filter((value) => value > scale.max).length);
  });

  it.each([
    [{ kind: 'linear', min: 141, max: 172, above: 0 }, [150, 160, 170]],
    [{ kind: 'logarithmic', min: 48, max: 2100, above: 0 }, [50, 100, 200, 500, 1000, 2000]],
    [{ kind: 'linear', min: 0, max: 0, above: 0 }, []],
  ] as const)('has round ticks: %o', (scale, ticks) => {
    expect(niceTicks(scale)).toEqual(ticks);
  });
});

describe('the table of candidates', () => {
  const candidates = [
    candidate(0, { expression: 'mul(W, sqrt(X))', size: 4 }),
    candidate(1, { outcome: { kind: 'invalid', reason: 'constant', detail: 'all 0' } }),
    candidate(2, {
      outcome: { kind: 'stopped', rung: 0, blocks: 7, perplexity: 150 },
      operator: 'crossover',
      parents: [0, 1],
    }),
    candidate(3, { outcome: { kind: 'shared', of: 0, by: 'mask', perplexity: 200 }, expression: 'abs(G)', size: 2 }),
  ];
  it.each<[string, Partial<TableQuery>, number[]]>([
    ['by perplexity, invalid ones last, evaluated before shared', {}, [2, 0, 3, 1]],
    ['downwards', { descending: true }, [1, 3, 0, 2]],
    ['by formula', { sort: 'formula' }, [1, 2, 0, 3]],
    ['by size', { sort: 'size' }, [1, 2, 3, 0]],
    ['filtered by a part of the formula, as it is shown', { text: 'w * SQRT' }, [0]],
    ['filtered by operator', { text: 'cross' }, [2]],
    ['filtered by number: itself and its children', { text: '#0' }, [2, 0]],
    ['filtered by outcome', { outcome: 'shared' }, [3]],
    ['filtered to nothing', { text: 'tanh' }, []],
  ])('%s', (_, query, ids) => {
    expect(queryMetrics(candidates, { ...DEFAULT_QUERY, ...query })).toEqual(ids);
  });

  it('says in words where a candidate comes from and what became of it', () => {
    const byId = new Map(candidates.map((each) => [each.id, each]));
    expect(lineage(candidates[2]!)).toBe('crossover of #0 and #1');
    expect(outcomeInFull(candidates[3]!.outcome, 64, byId)).toContain(
      'Same ranking as #0, W * sqrt(X): both remove the same',
    );
    expect(outcomeInFull(candidates[2]!.outcome, 64, byId)).toContain('after 7 of 64 blocks (rung 1)');
    const onTasks = { kind: 'stopped', rung: 0, blocks: 32, taskLoss: 1.5 } as const;
    expect(outcomeInFull(onTasks, 80, byId)).toContain('after 32 of 80 documents (rung 1)');
    expect(outcomeInFull({ kind: 'full', taskLoss: 1.5 }, 80, byId)).toBe(
      'Evaluated on all 80 documents of the tasks.',
    );
  });
});

describe('correlations', () => {
  it('tell what helps from what does not, and nothing from too little', () => {
    const candidates = Array.from({ length: 40 }, (_, id) =>
      candidate(id, {
        generation: Math.floor(id / 10),
        expression: id % 2 === 0 ? 'mul(W, X)' : 'exp(W)',
        outcome: { kind: 'full', perplexity: (id % 2 === 0 ? 150 : 400) + id },
      }),
    );
    const { spans, rows } = correlate([...candidates, candidate(40, { generation: 3, expression: 'tanh(W)' })]);
    expect(spans).toEqual([0, 1, 2, 3].map((at) => ({ first: at, last: at })));
    const value = (name: string) => rows.find((row) => row.name === name)?.overall?.value;
    expect(value('mul')).toBeLessThan(-0.9);
    expect(value('exp')).toBeGreaterThan(0.9);
    expect(value('tanh')).toBeUndefined();
    // In every tree once: it cannot make a difference.
    expect(value('W')).toBeUndefined();
    expect(rows[0]!.overall?.value).toBeLessThan(0);
  });
});

describe('what few candidates say is not coloured like what many say', () => {
  /** Of `all` candidates the first `having` have tanh, and are better by far; the others differ by chance. */
  const correlationOf = (having: number, all: number) => {
    const candidates = Array.from({ length: all }, (_, id) =>
      candidate(id, {
        expression: id < having ? 'tanh(W)' : 'abs(W)',
        outcome: { kind: 'full', perplexity: (id < having ? 150 : 160) + 0.1 * ((7 * id) % 40) },
      }),
    );
    return correlate(candidates).rows.find(({ name }) => name === 'tanh')!.overall!;
  };

  it.each([
    ['4 of 200 that have a name', 4, 200, false],
    ['196 of 200: then the 4 without it decide', 196, 200, false],
    ['100 of 200', 100, 200, true],
    ['40 of 200', 40, 200, true],
  ])('%s', (_, having, all, isCertain) => {
    const correlation = correlationOf(having, all);
    expect(correlation.value).toBeLessThan(-0.4);
    expect(correlation.low).toBeLessThan(correlation.value);
    expect(correlation.high).toBeGreaterThan(correlation.value);
    expect(certainPart(correlation) < 0).toBe(isCertain);
    // Never more than there is.
    expect(Math.abs(certainPart(correlation))).toBeLessThan(Math.abs(correlation.value));
  });
});

it.each([
  [3, '5 s'],
  [43, '45 s'],
  [240, '4 min'],
  [7200, '2.0 h'],
])('%i seconds ahead are %s', (seconds, text) => {
  expect(roughly(seconds)).toBe(text);
});
