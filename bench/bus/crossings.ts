import { tileEdges } from '../../src/engine/algebra/rowStack.ts';
import { stripShapes } from '../../src/engine/graph/gramStrips.ts';

/** A model in LLaMA's shape, and what goes through it. */
export interface BusShape {
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly depth: number;
  readonly vocabulary: number;
  /** Of a sequence. */
  readonly tokens: number;
  /** Sequences to a batch. */
  readonly batch: number;
  /** Places that tasks ask for in a batch. */
  readonly asked: number;
  /** Tokens that a cache of keys and values has room for. */
  readonly capacity: number;
}

/** Bytes to a device with memory of its own, and from it. */
export interface Bytes {
  readonly up: number;
  readonly down: number;
}

export interface Crossing {
  /** Of what the bytes are. */
  readonly run: string;
  /** What crosses, and why. */
  readonly why: string;
  readonly bytes: (shape: BusShape) => Bytes;
}

type Layer = readonly [out: number, columns: number];

/** Elements of a float32 or int32. */
const WIDE = 4;
/** Rows of states that come from a device together, rows of the head, and tokens asked behind each: see `askedStates.ts`, `scoreHead.ts`. */
const [TOGETHER, SLICE, TARGETS] = [64, 128, 4];
/** Vectors that a factor is tested on: see `factorGram.ts`. */
const PROBES = 8;

/** What crosses at each kind of run, weights being there: the table of docs/devices.md, which a test compares with what programs move. */
export const CROSSINGS = {
  weights: {
    run: 'a block’s weights are read',
    why: 'up, as float32 whatever the precision: once where the model stays on the device, else at each sweep',
    bytes: (shape) => ({ up: WIDE * (sum(linearsOf(shape).map(product)) + 2 * shape.hidden), down: 0 }),
  },
  embedding: {
    run: 'a batch is embedded',
    why: 'hidden states up: the table is looked up here. Once a sweep, whatever it carries',
    bytes: (shape) => ({ up: WIDE * rowsOf(shape) * shape.hidden, down: 0 }),
  },
  forward: {
    run: 'a batch through a block',
    why: 'nothing: hidden states and tables stay',
    bytes: () => ({ up: 0, down: 0 }),
  },
  statistics: {
    run: 'the same, with one statistic',
    why: 'a number for each input and sample down',
    bytes: (shape) => ({ up: 0, down: WIDE * shape.batch * sum(inputsOf(shape)) }),
  },
  pruning: {
    run: 'a block pruned, metric of W and X',
    why: 'at least rows of X up, zeros and finite scores of rows down; and for each guess a threshold a row up, a count down',
    bytes: (shape) => ({
      up: WIDE * sum(linearsOf(shape).map(([, columns]) => columns)),
      down: WIDE * sum(linearsOf(shape).map(([out]) => 2 * out + 2)),
    }),
  },
  gradients: {
    run: 'G of a block',
    why: 'up: once where 4 GiB hold G of the model, else at each sweep',
    bytes: (shape) => ({ up: WIDE * sum(linearsOf(shape).map(product)), down: 0 }),
  },
  probe: {
    run: 'the mask of a query projection, for a probe',
    why: 'one bit for each weight down, in words of 24',
    bytes: (shape) => ({ up: 0, down: bitsOf(product(linearsOf(shape)[0]!)) }),
  },
  removal: {
    run: 'a batch through what a mask leaves of a block',
    why: 'a number for each component up',
    bytes: (shape) => ({ up: WIDE * (shape.kvHeads + shape.intermediate), down: 0 }),
  },
  gram: {
    run: 'H of a block’s inputs begins',
    why: 'a zero for each strip: H is added up there',
    bytes: (shape) => ({ up: WIDE * sum(inputsOf(shape).map((n) => stripShapes(n).length)), down: 0 }),
  },
  sparseGptOpened: {
    run: 'H of down_proj factored, for SparseGPT',
    why: 'diagonal and pivots down, pivots up (float64 is for here alone), and what the factor is tested on both ways',
    bytes: ({ intermediate }) => factored(intermediate),
  },
  sparseGpt: {
    run: 'down_proj updated by SparseGPT',
    why: 'mask (bits) and panels down, what panels leave behind and the weight up: columns go one by one in float64, here',
    bytes: ({ hidden, intermediate }) => ({
      up: WIDE * (2 * hidden * intermediate + intermediate),
      down: WIDE * (hidden * intermediate + hidden) + bitsOf(hidden * intermediate),
    }),
  },
  admmOpened: {
    run: 'H of down_proj inverted, for ADMM',
    why: 'as factored; the inverse stays',
    bytes: ({ intermediate }) => {
      const { up, down } = factored(intermediate);
      return { up: up + WIDE * pairsOf(tileEdges(intermediate).length - 1), down };
    },
  },
  admm: {
    run: 'down_proj updated by ADMM',
    why: 'a row up, and whether rows are finite down',
    bytes: ({ hidden, intermediate }) => {
      const parts = hidden * intermediate ** 2 * ITERATIONS <= 1e10 ? 1 : 2;
      return { up: WIDE * parts * intermediate, down: WIDE * hidden };
    },
  },
  loss: {
    run: 'losses of a batch',
    why: 'targets up, a loss for each token down',
    bytes: (shape) => ({ up: WIDE * rowsOf(shape), down: WIDE * rowsOf(shape) }),
  },
  divergence: {
    run: 'divergences of a batch (objective kl)',
    why: 'the dense model’s hidden states up: once where 4 GiB hold those of the fitness text, else for each candidate',
    bytes: (shape) => ({ up: WIDE * rowsOf(shape) * shape.hidden, down: WIDE * rowsOf(shape) }),
  },
  backward: {
    run: 'G of a model, samples of one batch',
    why: 'samples, targets and rotary tables up; G of every layer down, as it is kept here or in files',
    bytes: (shape) => ({
      up: WIDE * (rowsOf(shape) * (shape.hidden + 2) + shape.tokens * shape.headDim),
      down: WIDE * shape.depth * sum(linearsOf(shape).map(product)),
    }),
  },
  tasks: {
    run: 'a batch of packed sequences through a block',
    why: 'three numbers for each token up, of which mask and turns are made there',
    bytes: (shape) => ({ up: WIDE * 3 * rowsOf(shape), down: 0 }),
  },
  scores: {
    run: 'scores of a batch of tasks',
    why: 'states that are asked about down and, gathered, up; log-probabilities down',
    bytes: ({ hidden, asked }) => {
      const [parts, slices] = [Math.ceil(asked / TOGETHER), Math.ceil(asked / SLICE)];
      return {
        up: WIDE * (parts * TOGETHER + slices * SLICE * (hidden + TARGETS)),
        down: WIDE * (parts * TOGETHER * hidden + slices * SLICE * (TARGETS + 1)),
      };
    },
  },
  token: {
    run: 'the next token of an answer',
    why: 'its state both ways, in each block what it sees and where its key goes up; logits down',
    bytes: ({ hidden, depth, capacity, vocabulary }) => ({
      up: WIDE * (2 * hidden + depth * (1 + 2 * (capacity + 1) + 2)),
      down: WIDE * (hidden + vocabulary),
    }),
  },
} as const satisfies Readonly<Record<string, Crossing>>;

export type CrossingName = keyof typeof CROSSINGS;

/** ADMM's, as its settings have it. */
export const ITERATIONS = 20;

/** Linear layers of a block: query, key, value, output, gate, up, down. */
export function linearsOf({ hidden, intermediate, heads, kvHeads, headDim }: BusShape): readonly Layer[] {
  const [queries, keys] = [heads * headDim, kvHeads * headDim];
  return [
    [queries, hidden],
    [keys, hidden],
    [keys, hidden],
    [hidden, queries],
    [intermediate, hidden],
    [intermediate, hidden],
    [hidden, intermediate],
  ];
}

/** Widths of what linear layers read; query, key and value read the same, gate and up do. */
export function inputsOf({ hidden, intermediate, heads, headDim }: BusShape): readonly number[] {
  return [hidden, heads * headDim, hidden, intermediate];
}

/** H [n, n] to a tested factor in tiles, at the first damping. */
function factored(n: number): Bytes {
  const edges = tileEdges(n);
  const widths = edges.slice(1).map((end, i) => end - edges[i]!);
  const tiles = widths.length;
  const squares = sum(widths.map((width) => width ** 2));
  // Of each tile a part of a vector goes there and one comes back, for Rᵀx and for Rx; then those of H x.
  const tested = PROBES * (sum(widths.map((width, j) => (j + 1) * width + edges[j + 1]!)) + n);
  // The diagonal's places and the diagonal; scales of rows and, for each row of tiles, of columns; zeros of the tiles right of the diagonal.
  const scales = n + tiles * n;
  return {
    up: WIDE * (n + scales + squares + (pairsOf(tiles) - tiles) + tested),
    down: WIDE * (n + squares + tested),
  };
}

/** Tiles on and above the diagonal. */
function pairsOf(tiles: number): number {
  return (tiles * (tiles + 1)) / 2;
}

function bitsOf(weights: number): number {
  return WIDE * Math.ceil(weights / 24);
}

function rowsOf({ batch, tokens }: BusShape): number {
  return batch * tokens;
}

function product([out, columns]: Layer): number {
  return out * columns;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
