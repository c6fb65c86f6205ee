import { describe, expect, it } from 'vitest';
import { alibiTable } from '../../../src/engine/models/alibi.ts';

const HEADS = { heads: 12, kvHeads: 12 };
const SHAPE = { heads: 12, kvHeads: 12, intermediate: 1 };
const FALCON = { kind: 'alibi', scale: 1, rounded: true } as const;
const BLOOM = { kind: 'alibi', scale: 1, rounded: false } as const;

describe('what ALiBi adds', () => {
  // By build_alibi_tensor of both in transformers 5.18.0.
  it.each<[head: number, token: number, falcon: number, bloom: number]>([
    [0, 1, 0.5, 0.5],
    [0, 257, 128, 128.5],
    [7, 3, 0.01171875, 0.01171875],
    [8, 1, 0.70703125, 0.7071067690849304],
    [8, 37, 26.125, 26.162950456142426],
    [8, 301, 212, 212.83913749456406],
    [9, 259, 92, 91.57032659649849],
    [9, 699, 247, 247.13381579518318],
    [11, 513, 45.25, 45.34321774542332],
  ])('to head %d at token %d is %d in Falcon, %d in BLOOM', (head, token, falcon, bloom) => {
    expect(alibiTable(FALCON, HEADS, SHAPE, 700)[head]![token]).toBe(falcon);
    expect(alibiTable(BLOOM, HEADS, SHAPE, 700)[head]![token]).toBeCloseTo(bloom, 4);
  });

  it('goes with the head, whatever is gone beside it', () => {
    const whole = alibiTable(BLOOM, { heads: 8, kvHeads: 4 }, { heads: 8, kvHeads: 4, intermediate: 1 }, 5);
    const shape = { heads: 4, kvHeads: 2, intermediate: 1, groups: [1, 3] };
    const left = alibiTable(BLOOM, { heads: 8, kvHeads: 4 }, shape, 5);
    expect(left).toEqual([2, 3, 6, 7].map((head) => whole[head]));
  });

  it('is scaled as a whole', () => {
    const [plain, scaled] = [1, 0.25].map((scale) => alibiTable({ ...FALCON, scale }, HEADS, SHAPE, 300));
    expect(scaled).toEqual(plain!.map((head) => head.map((value) => 0.25 * value)));
  });
});
