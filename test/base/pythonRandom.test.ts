import { describe, expect, it } from 'vitest';
import { PythonRandom } from '../../src/base/pythonRandom.ts';
import { Rng } from '../../src/base/rng.ts';
import { hasPython, python } from '../support/python.ts';

// Printed by Python 3.11: random.seed(seed); [random.randint(0, high) for _ in range(5)].
const PRINTED: readonly [seed: number | bigint, high: number, numbers: readonly number[]][] = [
  [0, 0, [0, 0, 0, 0, 0]],
  [0, 1, [1, 1, 0, 1, 1]],
  [0, 356316, [201979, 220500, 21225, 135746, 268055]],
  [0, 2 ** 32 - 1, [3626764237, 1806341205, 2195908194, 2046968324, 3900315155]],
  [0, 2 ** 40, [849735321549, 87705687125, 1067347797602, 788025983492, 480641685011]],
  [1, 356316, [70445, 298426, 33086, 133729, 61823]],
  [42, 356316, [335243, 58369, 13112, 144194, 128393]],
  [-42, 356316, [335243, 58369, 13112, 144194, 128393]],
  [2 ** 32 - 1, 356316, [333110, 324832, 106535, 112901, 318435]],
  [2 ** 32, 356316, [59241, 184188, 219062, 8743, 11965]],
  [2 ** 53 - 1, 2 ** 40, [254036359660, 47660796452, 985612452494, 588560466557, 83400526789]],
  [2n ** 100n + 7n, 356316, [218125, 43207, 171318, 280481, 291855]],
];

describe('Python’s random numbers', () => {
  it.each(PRINTED)('of seed %s up to %s are those that Python printed', (seed, high, numbers) => {
    const random = new PythonRandom(seed);
    expect(numbers.map(() => random.integer(0, high))).toEqual(numbers);
  });

  it('are of a range that holds something', () => {
    const random = new PythonRandom(0);
    expect(() => random.integer(0, -1)).toThrow(RangeError);
    expect(() => random.integer(0, 2 ** 53)).toThrow(RangeError);
    expect(random.integer(7, 7)).toBe(7);
  });

  it.skipIf(!hasPython)(
    'are those of the Python that is here (skipped where there is none), 20 seeds, 3000 each',
    () => {
      const rng = new Rng(7);
      const asked = Array.from({ length: 20 }, (_, i) => ({
        seed: i < 10 ? i : rng.integer(2 ** 53),
        // Through several renewals of the state, of all sizes of range.
        highs: Array.from({ length: 3000 }, () => rng.integer(2 ** rng.integer(53))),
      }));
      const script = `import random
def drawn(each):
    random.seed(each["seed"])
    return [random.randint(0, high) for high in each["highs"]]
print(json.dumps([drawn(each) for each in input]))`;
      const ours = asked.map(({ seed, highs }) => {
        const random = new PythonRandom(seed);
        return highs.map((high) => random.integer(0, high));
      });
      expect(ours).toEqual(python(script, asked));
    },
  );
});
