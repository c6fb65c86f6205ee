import type { Rng } from '../../src/base/rng.ts';

/** Damages bytes as disks, interrupted downloads and attackers do. The result always differs from the input. */
export function mutateBytes(rng: Rng, bytes: Uint8Array): Uint8Array {
  const mutated = pick(rng, BYTE_MUTATIONS)(rng, bytes);
  return sameBytes(mutated, bytes) ? bytes.subarray(0, Math.max(0, bytes.length - 1)) : mutated;
}

type MutateBytes = (rng: Rng, bytes: Uint8Array) => Uint8Array;

const BYTE_MUTATIONS: readonly MutateBytes[] = [
  // Cut off.
  (rng, bytes) => bytes.slice(0, rng.integer(bytes.length)),
  // Flipped bits.
  (rng, bytes) => {
    const copy = bytes.slice();
    for (let i = 0; i <= rng.integer(4); i++) copy[rng.integer(copy.length)]! ^= 1 << rng.integer(8);
    return copy;
  },
  // Another byte.
  (rng, bytes) => {
    const copy = bytes.slice();
    copy[rng.integer(copy.length)] = pick(rng, [0, 0xff, 0x22, 0x30, 0x39, 0x2d, 0x5b, 0x7b, 0x7d, 0x80]);
    return copy;
  },
  // A stretch that is missing, there twice, or of zeros.
  (rng, bytes) => {
    const [begin, end] = stretch(rng, bytes.length);
    return concatenate(bytes.subarray(0, begin), bytes.subarray(end));
  },
  (rng, bytes) => {
    const [begin, end] = stretch(rng, bytes.length);
    return concatenate(bytes.subarray(0, end), bytes.subarray(begin));
  },
  (rng, bytes) => {
    const [begin, end] = stretch(rng, bytes.length);
    return bytes.slice().fill(0, begin, end);
  },
  // More than there was.
  (rng, bytes) => concatenate(bytes, new Uint8Array(1 + rng.integer(64)).fill(rng.integer(256))),
];

function stretch(rng: Rng, length: number): [begin: number, end: number] {
  const begin = rng.integer(length);
  return [begin, Math.min(length, begin + 1 + rng.integer(32))];
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Values that a hostile or broken JSON file holds where something else belongs. */
export const HOSTILE_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  1,
  -1,
  2,
  3,
  0.5,
  1.5,
  1e-320,
  1e9,
  1e18,
  1e300,
  -1e300,
  2 ** 31,
  2 ** 31 - 1,
  2 ** 32,
  2 ** 53,
  2 ** 53 - 1,
  '',
  ' ',
  '0',
  '32',
  'NaN',
  'x',
  '\0',
  '\ud800',
  '../../etc/passwd',
  '/etc/passwd',
  'C:\\Windows',
  '..\\x.safetensors',
  '__proto__',
  'constructor',
  'a'.repeat(5000),
  [],
  [0],
  [1, 2],
  [-1, 4],
  [4, 0],
  [[]],
  [null],
  {},
  { a: 1 },
  { type: 'x' },
  { type: 'linear' },
  { type: 'yarn', factor: 0 },
];

/** One node of a JSON value replaced, removed, repeated, renamed or made huge. The input stays as it is. */
export function mutateJson(rng: Rng, value: unknown): unknown {
  const copy = structuredClone({ root: value }) as Container;
  const [container, key] = pick(
    rng,
    slotsOf(copy, (path) => path.length > 1 || rng.integer(20) === 0),
  );
  pick(rng, JSON_MUTATIONS)(rng, container, key);
  return (copy as { root: unknown }).root;
}

type Container = Record<string, unknown> | unknown[];
type Slot = readonly [container: Container, key: string];
type MutateJson = (rng: Rng, container: Container, key: string) => void;

const JSON_MUTATIONS: readonly MutateJson[] = [
  (rng, container, key) => {
    set(container, key, pick(rng, HOSTILE_VALUES));
  },
  (rng, container, key) => {
    set(container, key, pick(rng, HOSTILE_VALUES));
  },
  (rng, container, key) => {
    const value = get(container, key);
    if (typeof value === 'number') {
      set(container, key, pick(rng, [value + 1, value - 1, value * 2, value * 1e6, -value, value + 0.5, value / 2]));
    } else if (typeof value === 'string') {
      const at = rng.integer(value.length + 1);
      set(
        container,
        key,
        pick(rng, [value.slice(0, at) + value.slice(at + 1), `${value}x`, value.toUpperCase(), value + value]),
      );
    } else if (typeof value === 'boolean') {
      set(container, key, !value);
    } else {
      set(container, key, pick(rng, HOSTILE_VALUES));
    }
  },
  (rng, container, key) => {
    if (Array.isArray(container)) container.splice(Number(key), 1 + rng.integer(3));
    else Reflect.deleteProperty(container, key);
  },
  (rng, container, key) => {
    if (Array.isArray(container)) container.push(get(container, key));
    else container[pick(rng, [`${key}x`, key.toUpperCase(), '__proto__x', 'type'])] = get(container, key);
  },
  (rng, container, key) => {
    const other = pick(rng, slotsOf(container));
    set(container, key, structuredClone(get(...other)));
  },
];

/** Every place in the value, large objects thinned out so that their entries do not drown the rest. */
function slotsOf(container: Container, take: (path: readonly string[]) => boolean = () => true): Slot[] {
  const slots: Slot[] = [];
  const visit = (inside: Container, path: readonly string[]): void => {
    const keys = Object.keys(inside);
    const step = Math.max(1, Math.floor(keys.length / 24));
    for (let i = 0; i < keys.length; i += step) {
      const key = keys[i]!;
      if (take([...path, key])) slots.push([inside, key]);
      const value = get(inside, key);
      if (typeof value === 'object' && value !== null) visit(value as Container, [...path, key]);
    }
  };
  visit(container, []);
  return slots.length > 0 ? slots : [[container, Object.keys(container)[0] ?? 'root']];
}

function get(container: Container, key: string): unknown {
  return (container as Record<string, unknown>)[key];
}

function set(container: Container, key: string, value: unknown): void {
  Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
}

export function pick<Item>(rng: Rng, items: readonly Item[]): Item {
  return items[rng.integer(items.length)]!;
}
