/** Words of the state, and the distance that one is mixed over. */
const WORDS = 624;
const DISTANCE = 397;

/**
 * Python's `random.Random`, so that a seed cuts the samples that it cuts in the papers' code: the Mersenne Twister MT19937 (Matsumoto
 * and Nishimura 1998), seeded by `init_by_array` as `random.seed(int)` does, and what `random` makes of its words (Lib/random.py,
 * Modules/_randommodule.c, the same from Python 3.2 on).
 */
export class PythonRandom {
  private readonly state = new Uint32Array(WORDS);
  private next = WORDS;

  /** @param seed any integer; as in Python, its sign does not count */
  constructor(seed: number | bigint) {
    this.seedByArray(wordsOf(seed));
  }

  /** Uniform integer of the topmost `bits` of a word, as `getrandbits`. @param bits 1 to 53 */
  bits(bits: number): number {
    if (bits <= 32) return this.uint32() >>> (32 - bits);
    const low = this.uint32();
    return (this.uint32() >>> (64 - bits)) * 2 ** 32 + low;
  }

  /** Uniform integer in [low, high], both included, as `randint`. @throws RangeError where there is none, or more than 2^53 - 1 */
  integer(low: number, high: number): number {
    const count = high - low + 1;
    if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`no integer from ${low} to ${high}`);
    const bits = bitLength(count);
    let drawn = this.bits(bits);
    while (drawn >= count) drawn = this.bits(bits);
    return low + drawn;
  }

  /**
   * Places of `count` things out of `population`, in the order drawn, as `sample(range(population), count)` gives them: by a pool where the
   * population is small, else by drawing again what was drawn before.
   *
   * @throws RangeError where there are not so many
   */
  sample(population: number, count: number): number[] {
    if (count < 0 || count > population) throw new RangeError(`${count} of ${population}`);
    const small = count > 5 ? 21 + 4 ** Math.ceil(Math.log(3 * count) / Math.log(4)) : 21;
    if (population > small) return this.sampleBySet(population, count);
    const pool = Array.from({ length: population }, (_, place) => place);
    return Array.from({ length: count }, (_, drawn) => {
      const last = population - drawn - 1;
      const at = this.integer(0, last);
      const place = pool[at]!;
      pool[at] = pool[last]!;
      return place;
    });
  }

  private sampleBySet(population: number, count: number): number[] {
    const drawn = new Set<number>();
    while (drawn.size < count) drawn.add(this.integer(0, population - 1));
    return [...drawn];
  }

  /** Another order of the same things, as `shuffle` leaves them. */
  shuffled<Thing>(things: readonly Thing[]): Thing[] {
    const order = [...things];
    for (let last = order.length - 1; last > 0; last--) {
      const at = this.integer(0, last);
      [order[last], order[at]] = [order[at]!, order[last]!];
    }
    return order;
  }

  private uint32(): number {
    if (this.next === WORDS) this.renew();
    let word = this.state[this.next++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  private renew(): void {
    const { state } = this;
    for (let i = 0; i < WORDS; i++) {
      const mixed = (state[i]! & 0x80000000) | (state[(i + 1) % WORDS]! & 0x7fffffff);
      state[i] = state[(i + DISTANCE) % WORDS]! ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }

  private seedByArray(key: readonly number[]): void {
    const { state } = this;
    state[0] = 19650218;
    for (let i = 1; i < WORDS; i++) state[i] = Math.imul(1812433253, shaken(state[i - 1]!)) + i;
    let i = 1;
    for (let k = 0; k < Math.max(WORDS, key.length); k++) {
      const j = k % key.length;
      state[i] = (state[i]! ^ Math.imul(shaken(state[i - 1]!), 1664525)) + key[j]! + j;
      i = this.following(i);
    }
    for (let k = 1; k < WORDS; k++) {
      state[i] = (state[i]! ^ Math.imul(shaken(state[i - 1]!), 1566083941)) - i;
      i = this.following(i);
    }
    state[0] = 0x80000000;
  }

  /** Behind the last word comes the second: the first is then the last's. */
  private following(i: number): number {
    if (i + 1 < WORDS) return i + 1;
    this.state[0] = this.state[WORDS - 1]!;
    return 1;
  }
}

function shaken(word: number): number {
  return word ^ (word >>> 30);
}

/** The absolute value in words of 32 bits, the lowest first; of 0 one word. */
function wordsOf(seed: number | bigint): number[] {
  const words: number[] = [];
  let rest = BigInt(seed);
  if (rest < 0n) rest = -rest;
  do {
    words.push(Number(rest & 0xffffffffn));
    rest >>= 32n;
  } while (rest > 0n);
  return words;
}

/** Bits that a positive integer takes. */
function bitLength(value: number): number {
  return value < 2 ** 32 ? 32 - Math.clz32(value) : 32 + bitLength(Math.floor(value / 2 ** 32));
}
