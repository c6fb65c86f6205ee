import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { TensorFile } from '../../../src/engine/checkpoint/tensorFile.ts';
import { readSafetensorsHeader } from '../../../src/engine/checkpoint/safetensors.ts';
import { writeSafetensors } from '../../../src/engine/checkpoint/safetensorsWriter.ts';
import { WIDEN, bitsOf } from '../../../src/engine/checkpoint/widen.ts';
import { Rng } from '../../../src/base/rng.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-widen-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const every16 = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);

function widen16(type: 'F16' | 'BF16'): Float32Array {
  const target = new Float32Array(every16.length);
  WIDEN[type](new Uint8Array(every16.buffer), target, 0);
  return target;
}

/** By the definition of IEEE 754 binary formats: (−1)^s · 2^(e−bias) · 1.f, or 2^(1−bias) · 0.f where e is zero. */
function byDefinition(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits >>> (exponentBits + fractionBits) ? -1 : 1;
  const exponent = (bits >>> fractionBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? 2 ** (1 - bias) * fraction : 2 ** (exponent - bias) * (1 + fraction));
}

describe('widening to float32', () => {
  it.each([
    ['F16', 5, 10],
    ['BF16', 8, 7],
  ] as const)('every %s value', (type, exponentBits, fractionBits) => {
    const widened = widen16(type);
    const wrong = Array.from(every16).filter(
      (bits) => !Object.is(widened[bits], byDefinition(bits, exponentBits, fractionBits)),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps the payload of a NaN', () => {
    const bits = bitsOf(widen16('F16'));
    expect(bits[0x7e01]!.toString(16)).toBe((0x7fc0_2000).toString(16));
    expect(bits[0xfe01]!.toString(16)).toBe((0xffc0_2000).toString(16));
    expect(bitsOf(widen16('BF16'))[0x7f81]!.toString(16)).toBe((0x7f81_0000).toString(16));
  });

  it('F64 to the nearest', () => {
    const source = Float64Array.of(0, -0, 1 + 2 ** -24, 1 + 2 ** -23 + 2 ** -24, 1e300, -1e-300, 2 ** -149);
    const target = new Float32Array(source.length);
    WIDEN.F64(new Uint8Array(source.buffer), target, 0);
    expect(Array.from(target)).toEqual([0, -0, 1, 1 + 2 ** -22, Infinity, -0, 2 ** -149]);
  });
});

describe('writing and reading back', () => {
  const finite = (values: Float32Array): Float32Array => values.filter((value) => Number.isFinite(value));

  async function roundTrip(dtype: 'F32' | 'F16' | 'BF16', data: Float32Array): Promise<Float32Array> {
    const file = path.join(folder, `${dtype}.safetensors`);
    await writeSafetensors(file, new Map([['x', { dtype, shape: [data.length], data }]]));
    const read = await readSafetensorsHeader(file);
    const reader = new TensorFile(read);
    const into = new Float32Array(data.length);
    reader.read('x', read.tensors.get('x')!, 0, into);
    reader.close();
    return into;
  }

  it.each(['F16', 'BF16'] as const)('every %s value comes back as it was', async (type) => {
    const values = widen16(type);
    const back = await roundTrip(type, values);
    expect(back.every((value, i) => Object.is(value, values[i]))).toBe(true);
  });

  it.each(['F16', 'BF16'] as const)('%s rounds to the nearest, halves to even', async (type) => {
    const widened = widen16(type);
    const bitsOfValue = new Map(Array.from(widened, (value, bits) => [value, bits]));
    const values = finite(widened).toSorted();
    const rng = new Rng(5);
    const cases = Array.from({ length: 30_000 }, (_, i) => {
      const at = rng.integer(values.length - 1);
      const [low, high] = [values[at]!, values[at + 1]!];
      return { low, high, value: Math.fround(i % 2 === 0 ? (low + high) / 2 : low + (high - low) * rng.uniform()) };
    });
    const back = await roundTrip(
      type,
      Float32Array.from(cases, ({ value }) => value),
    );
    const wrong = cases.filter(({ low, high, value }, i) => {
      const [toLow, toHigh] = [value - low, high - value];
      if (toLow !== toHigh) return back[i] !== (toLow < toHigh ? low : high);
      return (back[i] !== low && back[i] !== high) || (low !== high && bitsOfValue.get(back[i])! % 2 !== 0);
    });
    expect(wrong).toEqual([]);
  });

  it('F32 keeps every bit', async () => {
    const rng = new Rng(1);
    const bits = Uint32Array.from({ length: 300_001 }, () => rng.uint32());
    const back = await roundTrip('F32', new Float32Array(bits.buffer));
    expect(Buffer.compare(Buffer.from(back.buffer), Buffer.from(bits.buffer))).toBe(0);
  });

  it('what is too large for F16 becomes infinite, what is too small zero', async () => {
    const back = await roundTrip(
      'F16',
      Float32Array.of(65_504, 65_519.99, 65_520, -1e30, 2 ** -24, 2 ** -25, -(2 ** -25) * 1.01, NaN),
    );
    expect(Array.from(back)).toEqual([65_504, 65_504, Infinity, -Infinity, 2 ** -24, 0, -(2 ** -24), NaN]);
  });
});
