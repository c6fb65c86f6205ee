import { Rng } from '../../src/base/rng.ts';
import type { Figure } from '../../src/figures/figureSchema.ts';

const random = new Rng(7);
const noise = (size: number): number => (random.uniform() - 0.5) * size;
const counted = (length: number): number[] => Array.from({ length }, (_, i) => i);

const best = counted(20).map((i) => ({
  x: i + 1,
  y: 2.4465 + 0.03 * Math.exp(-i / 4),
  low: 2.444,
  high: 2.4475 + 0.05 * Math.exp(-i / 4),
}));
const across = (y: number): { x: number; y: number }[] => [1, 20].map((x) => ({ x, y }));

/** A figure of each kind, and of what is hard about it: names that meet, axes of all scales, signs, many points. */
export const SAMPLES: Readonly<Record<string, Figure>> = {
  generations: {
    kind: 'chart',
    title: 'Best by generation',
    x: { label: 'generation', scale: 'linear', whole: true },
    y: { label: 'perplexity', scale: 'linear' },
    series: [
      { name: 'best of three seeds', mark: 'step', emphasis: 'main', points: best },
      { name: 'random search', mark: 'step', points: best.map(({ x, y }) => ({ x, y: y + 0.006 })) },
      { name: 'median', mark: 'line', points: best.map(({ x }) => ({ x, y: 2.47 + noise(0.01) })) },
      { name: 'Wanda', mark: 'line', emphasis: 'reference', points: across(2.4521) },
      {
        name: 'RIA with a long name that nobody can print',
        mark: 'line',
        emphasis: 'reference',
        points: across(2.453),
      },
      { name: 'magnitude', mark: 'line', emphasis: 'reference', points: across(2.4536) },
    ],
    legend: 'direct',
  },
  broken: {
    kind: 'chart',
    title: 'Best by generation, down to dense',
    x: { label: 'generation', scale: 'linear', whole: true },
    y: { label: 'perplexity', scale: 'linear', gap: { from: 2.01, to: 2.44 } },
    series: [
      { name: 'best so far', mark: 'step', emphasis: 'main', points: best.map(({ x, y }) => ({ x, y })) },
      { name: 'Wanda', mark: 'line', emphasis: 'reference', points: across(2.4521) },
      { name: 'dense', mark: 'line', emphasis: 'reference', points: across(2.0) },
    ],
    legend: 'direct',
  },
  against: {
    kind: 'chart',
    title: 'Perplexity against the best baseline',
    x: { label: 'sparsity', scale: 'linear', format: 'share' },
    y: { label: 'against the best baseline', scale: 'difference' },
    series: ['evolved', 'abs(W) · sqrt(X)', 'Wanda', 'RIA', 'magnitude', 'GBLM', 'Pruner-Zero'].map((name, i) => ({
      name,
      mark: 'line' as const,
      ...(i === 0 && { emphasis: 'main' as const }),
      points: counted(7).map((place) => ({
        x: 0.1 * (place + 1),
        y: i === 0 ? -0.3 * place : i < 4 ? 0.1 * i * place : 0.02 * i * 4 ** place,
      })),
    })),
    legend: 'direct',
  },
  losses: {
    kind: 'chart',
    title: 'Loss in training',
    x: { label: 'step', scale: 'linear' },
    y: { label: 'loss (nats per token)', scale: 'log' },
    series: [
      {
        name: 'batch',
        mark: 'line',
        emphasis: 'faint',
        points: counted(300).map((i) => ({ x: i * 10, y: (2 + 3 * Math.exp(-i / 40)) * (1 + noise(0.2)) })),
      },
      {
        name: 'mean of 10',
        mark: 'line',
        emphasis: 'main',
        points: counted(300).map((i) => ({ x: i * 10, y: 2 + 3 * Math.exp(-i / 40) })),
      },
    ],
    legend: 'direct',
  },
  candidates: {
    kind: 'chart',
    title: 'Every candidate',
    x: { label: 'size (operations and operands)', scale: 'linear', whole: true },
    y: { label: 'perplexity', scale: 'log' },
    series: [
      ...['1–5', '6–10', '11–15', '16–20'].map((name, i) => ({
        name: `generation ${name}`,
        mark: 'points' as const,
        hollow: i % 2 === 1,
        points: counted(80).map(() => ({
          x: 3 + Math.floor(random.uniform() * 12) + noise(0.6),
          y: 2.5 + (4 - i) * random.uniform() ** 3 * 4,
        })),
      })),
      {
        name: 'best of each size',
        mark: 'front' as const,
        emphasis: 'reference' as const,
        hollow: true,
        points: counted(8).map((i) => ({ x: i + 3, y: 2.9 - 0.05 * i })),
      },
    ],
    legend: 'above',
  },
  manyCandidates: {
    kind: 'chart',
    title: 'Ten thousand candidates',
    x: { label: 'size', scale: 'linear', whole: true },
    y: { label: 'perplexity', scale: 'linear' },
    series: [
      {
        name: 'candidates',
        mark: 'points',
        points: counted(1500).map((i) => ({ x: 3 + (i % 40) + noise(0.6), y: 2.5 + random.uniform() ** 3 * 4 })),
      },
    ],
    legend: 'none',
  },
  bars: {
    kind: 'chart',
    title: 'Rates by block',
    x: { label: 'block', scale: 'linear', whole: true },
    y: { label: 'pruned share', scale: 'linear', format: 'share' },
    series: [
      {
        name: 'Self-Pruner (#41)',
        mark: 'bars',
        points: counted(12).map((i) => ({
          x: i + 1,
          y: 0.3 + 0.3 * Math.sin(i) ** 2,
          low: 0.28 + 0.3 * Math.sin(i) ** 2,
          high: 0.33 + 0.3 * Math.sin(i) ** 2,
        })),
      },
      {
        name: 'EvoPress',
        mark: 'bars',
        points: counted(12).map((i) => ({ x: i + 1, y: 0.25 + 0.3 * Math.cos(i) ** 2 })),
      },
      {
        name: 'uniform',
        mark: 'line',
        emphasis: 'reference',
        points: [
          { x: 0.5, y: 0.4 },
          { x: 12.5, y: 0.4 },
        ],
      },
      {
        name: 'OWL',
        mark: 'points',
        emphasis: 'reference',
        points: counted(12).map((i) => ({ x: i + 1, y: 0.35 + 0.01 * i })),
      },
    ],
    legend: 'above',
  },
  histogram: {
    kind: 'chart',
    title: 'How decided keep-probabilities are',
    x: { label: 'keep-probability', scale: 'linear', min: 0, max: 1 },
    y: { label: 'share of components', scale: 'linear', format: 'share', min: 0 },
    series: [
      {
        name: 'channels',
        mark: 'bars',
        points: counted(20).map((i) => ({ x: (i + 0.5) / 20, y: 0.02 + (i === 0 || i === 19 ? 0.3 : 0) })),
      },
    ],
    legend: 'above',
  },
  categories: {
    kind: 'chart',
    title: 'Increase of the loss by types of layers, which have no room beside each other in a column',
    x: {
      label: 'linear layers',
      scale: 'linear',
      categories: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
    },
    y: { label: 'loss increase (nats per token)', scale: 'linear' },
    series: [0.5, 0.8].map((share) => ({
      name: `${100 * share}%`,
      mark: 'bars' as const,
      points: counted(7).map((i) => ({ x: i, y: share * Math.sin(i + 1) ** 2 - 0.1 })),
    })),
    legend: 'above',
  },
  negative: {
    kind: 'chart',
    title: 'Signed values of a single series, which is the same everywhere',
    x: { label: 'seed', scale: 'linear', whole: true },
    y: { label: 'Δ accuracy (points)', scale: 'linear' },
    series: [
      {
        name: 'difference',
        mark: 'points',
        points: counted(5).map((i) => ({ x: i, y: -1.5 + i * 0.5, low: -1.9 + i * 0.5, high: -1.2 + i * 0.5 })),
      },
    ],
    legend: 'none',
  },
  rates: {
    kind: 'heat',
    title: 'Rates of the best so far',
    rowLabel: 'block',
    columnLabel: 'generation',
    rows: counted(12).map((i) => String(i + 1)),
    columns: counted(15).map(String),
    values: counted(12).map((row) =>
      counted(15).map((column) => (row === 4 && column < 2 ? null : 0.2 + 0.5 * Math.abs(Math.sin(row + column / 8)))),
    ),
    ...{ min: 0.2, max: 0.7, meaning: 'pruned share of the block', format: 'share' },
  },
  keep: {
    kind: 'heat',
    title: 'Keep-probabilities of channels',
    rowLabel: 'block',
    columnLabel: 'channel',
    rows: counted(32).map((i) => String(i + 1)),
    columns: counted(250).map((i) => String(i + 1)),
    values: counted(32).map((row) => counted(250).map((column) => Math.abs(Math.sin(row * 0.7 + column / 50)))),
    ...{ min: 0, max: 1, meaning: 'keep-probability of a channel' },
  },
  parallel: {
    kind: 'parallel',
    title: 'Settings and what came of them',
    axes: [
      { label: 'method', scale: 'category', categories: ['EvoPress', 'Pruner-Zero', 'Self-Pruner'] },
      { label: 'population', scale: 'linear' },
      { label: 'calibration samples', scale: 'log' },
      { label: 'mutation probability', scale: 'linear' },
      { label: 'perplexity', scale: 'linear' },
    ],
    lines: counted(10).map((i) => ({
      name: `evolved (${i + 1})`,
      ...(i === 3 && { emphasis: 'main' as const }),
      values: [i % 3, 20 + 10 * (i % 4), 2 ** (i % 6), i === 5 ? null : 0.1 * (i % 5), 2.44 + 0.01 * i],
    })),
  },
  tree: {
    kind: 'tree',
    title: 'Syntax tree of evolved',
    direction: 'right',
    nodes: [
      { label: 'mul', parent: null, note: '688 × 256' },
      { label: 'abs', parent: 0, note: '688 × 256' },
      { label: 'mms', parent: 0, note: '688 × 256' },
      { label: 'mul', parent: 1 },
      { label: 'W', parent: 3 },
      { label: 'W', parent: 3 },
      { label: 'add', parent: 2, note: 'a row of 256' },
      { label: 'G', parent: 6 },
      { label: '−0.25', parent: 6 },
    ],
  },
  widerTree: {
    kind: 'tree',
    title: 'A tree that is wider than a column',
    direction: 'down',
    nodes: counted(63).map((i) => ({
      label: i < 31 ? ['mul', 'add', 'sqrt'][i % 3]! : ['W', 'X', 'G'][i % 3]!,
      parent: i === 0 ? null : Math.floor((i - 1) / 2),
    })),
  },
};
