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

  it('draw samples as Python printed them, by a pool and by a set', () => {
    const random = new PythonRandom(1234);
    expect([1, 2, 3].map(() => random.sample(11, 3))).toEqual([
      [7, 1, 0],
      [1, 9, 0],
      [10, 1, 9],
    ]);
    const other = new PythonRandom(1234);
    expect([1, 2].map(() => other.sample(40398, 3))).toEqual([
      [28883, 7657, 490],
      [5940, 38156, 2288],
    ]);
    expect(() => random.sample(2, 3)).toThrow(RangeError);
  });

  it.skipIf(!hasPython)('draw samples and shuffle as the Python that is here (skipped where there is none)', () => {
    const rng = new Rng(3);
    const asked = Array.from({ length: 400 }, () => {
      const population = 1 + rng.integer(rng.integer(4) === 0 ? 5000 : 120);
      return [population, rng.integer(Math.min(population, 60) + 1)] as const;
    });
    const random = new PythonRandom(42);
    const ours = asked.map(([population, count]) => [
      random.sample(population, count),
      random.shuffled(Array.from({ length: count }, (_, i) => i)),
    ]);
    const script = `import random
draw = random.Random(42)
def both(population, count):
    sample, order = draw.sample(range(population), count), list(range(count))
    draw.shuffle(order)
    return [sample, order]
print(json.dumps([both(*each) for each in input]))`;
    expect(ours).toEqual(python(script, asked));
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
