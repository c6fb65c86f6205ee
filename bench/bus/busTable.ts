import { type BusShape, type Bytes, type Crossing, CROSSINGS, type CrossingName } from './crossings.ts';
import { busShapeOf, SHAPES, type ShapeName } from './shapes.ts';

const NAMES = Object.keys(SHAPES) as readonly ShapeName[];

const KINDS: readonly Crossing[] = Object.values(CROSSINGS);

/** The table of docs/devices.md: what crosses at each kind of run, at three sizes. Lines of Markdown. */
export function busTable(): readonly string[] {
  return [
    `| run | ${NAMES.map((name) => `${name.toUpperCase()}: up; down`).join(' | ')} |`,
    `|---|${NAMES.map(() => '---|').join('')}`,
    ...KINDS.map(({ run, bytes }) => `| ${run} | ${NAMES.map((name) => both(bytes(busShapeOf(name)))).join(' | ')} |`),
  ];
}

/** What crosses, and why. Lines of Markdown. */
export function busReasons(): readonly string[] {
  return KINDS.map(({ run, why }) => `- ${run}: ${why}`);
}

/** A candidate of a search at some size: what it needs of each kind of run. */
export interface CandidateBytes {
  readonly candidate: string;
  readonly bytes: (shape: BusShape, batches: number) => Bytes;
}

const times = (name: CrossingName, count: number, shape: BusShape): Bytes => {
  const { up, down } = (CROSSINGS[name] as Crossing).bytes(shape);
  return { up: count * up, down: count * down };
};

/** Candidates on the whole test text, one to a sweep, weights being there. Of updates of down_proj alone, the widest. */
export const CANDIDATES: readonly CandidateBytes[] = [
  { candidate: 'a metric of W and X', bytes: metric },
  {
    candidate: 'a metric that names G, which does not stay',
    bytes: (shape, batches) => added(metric(shape, batches), times('gradients', shape.depth, shape)),
  },
  {
    candidate: 'a metric, objective kl, whose states do not stay',
    bytes: (shape, batches) =>
      added(...[metric(shape, batches), times('divergence', batches, shape)], ...[times('loss', -batches, shape)]),
  },
  {
    candidate: 'a mask of components',
    bytes: (shape, batches) =>
      added(
        ...[times('embedding', batches, shape), times('removal', batches * shape.depth, shape)],
        ...[times('loss', batches, shape)],
      ),
  },
  {
    candidate: 'a metric, down_proj by SparseGPT',
    bytes: (shape, batches) =>
      added(
        ...[metric(shape, batches), times('sparseGptOpened', shape.depth, shape)],
        ...[times('sparseGpt', shape.depth, shape)],
      ),
  },
  {
    candidate: 'a metric, down_proj by ADMM',
    bytes: (shape, batches) =>
      added(metric(shape, batches), times('admmOpened', shape.depth, shape), times('admm', shape.depth, shape)),
  },
];

/** What a candidate moves. Lines of Markdown. */
export function candidateTable(name: ShapeName): readonly string[] {
  const shape = busShapeOf(name);
  const batches = SHAPES[name].sequences / shape.batch;
  return [
    `| candidate at ${name.toUpperCase()} | up; down | seconds at ${RATE / 1e9} GB/s |`,
    '|---|---|---|',
    ...CANDIDATES.map(({ candidate, bytes }) => {
      const moved = bytes(shape, batches);
      return `| ${candidate} | ${both(moved)} | ${((moved.up + moved.down) / RATE).toPrecision(2)} |`;
    }),
  ];
}

/** Bytes a second over PCIe 4 with 16 lanes, through memory that is not pinned: an assumption. */
export const RATE = 12e9;

function metric(shape: BusShape, batches: number): Bytes {
  return added(
    ...[times('embedding', batches, shape), times('pruning', shape.depth, shape), times('loss', batches, shape)],
  );
}

function added(...parts: readonly Bytes[]): Bytes {
  return parts.reduce((sum, { up, down }) => ({ up: sum.up + up, down: sum.down + down }), { up: 0, down: 0 });
}

function both({ up, down }: Bytes): string {
  return up + down === 0 ? '–' : `${size(up)}; ${size(down)}`;
}

function size(bytes: number): string {
  if (bytes === 0) return '0';
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** unit;
  return `${value.toFixed(value < 10 && unit > 0 ? 1 : 0)} ${UNITS[unit]!}`;
}

const UNITS = ['B', 'KB', 'MB', 'GB'];
