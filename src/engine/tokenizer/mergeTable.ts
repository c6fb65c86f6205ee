import { PairTable } from './pairTable.ts';
import { shown, tokenizerError } from './tokenizerError.ts';
import type { BytePairSpec } from './modelSpec.ts';

type Merge = readonly [left: string, right: string];

/** The merges of a byte-pair model, by ids: which pair becomes which token, and which goes first. */
export class MergeTable {
  /**
   * Last character of a left part → first characters of the right parts that it is merged with. Nothing where characters do not
   * tell: affixes, and merges of tokens that stand in for other characters.
   */
  readonly junctions: ReadonlyMap<number, ReadonlySet<number>> | undefined;
  private readonly ranks = new PairTable();
  /** Rank → id of what the pair becomes. */
  private readonly merged: Int32Array;

  /** @throws EspalierError `checkpoint/tokenizer` */
  constructor(spec: BytePairSpec, vocabulary: ReadonlyMap<string, number>, file: string) {
    const merges = readMerges(spec, file);
    const prefix = spec.continuing_subword_prefix ?? '';
    this.merged = new Int32Array(merges.length);
    for (const [rank, [left, right]] of merges.entries()) {
      // What is joined to another token loses its prefix.
      const rest = right.startsWith(prefix) ? right.slice(prefix.length) : '';
      if (rest === '')
        throw tokenizerError(file, `the right part of merge ${rank} to begin with ${shown(prefix)}`, shown(right));
      const [leftId, rightId, id] = [left, right, left + rest].map((token) => {
        const found = vocabulary.get(token);
        if (found !== undefined) return found;
        throw tokenizerError(file, `the tokens of merge ${rank} in the vocabulary`, `none for ${shown(token)}`);
      });
      this.ranks.set(leftId!, rightId!, rank);
      this.merged[rank] = id!;
    }
    const isPlain =
      prefix === '' && (spec.end_of_word_suffix ?? '') === '' && !merges.some((pair) => hasStandIn(pair, spec));
    this.junctions = isPlain ? junctionsOf(merges) : undefined;
  }

  /** Merges the ids of a short word, in place: again and again the pair of the lowest rank, of equals the leftmost. */
  merge(symbols: number[]): number[] {
    if (symbols.length > SHORT) {
      const merging = this.mergeLong(symbols);
      for (let step = merging.next(); ; step = merging.next()) if (step.done) return step.value;
    }
    const ranks = symbols.map((left, i) => this.rankOf(left, symbols[i + 1]));
    for (;;) {
      let at = -1;
      for (let i = 0; i + 1 < ranks.length; i++) if (ranks[i]! < (at < 0 ? NONE : ranks[at]!)) at = i;
      if (at < 0) return symbols;
      symbols[at] = this.merged[ranks[at]!]!;
      symbols.splice(at + 1, 1);
      ranks.splice(at, 1);
      ranks[at] = this.rankOf(symbols[at]!, symbols[at + 1]);
      if (at > 0) ranks[at - 1] = this.rankOf(symbols[at - 1]!, symbols[at]);
    }
  }

  /** The same for many ids, in O(n log n), stopping every now and then. */
  *mergeLong(symbols: readonly number[]): Generator<void, number[]> {
    const ids = Int32Array.from(symbols);
    const next = Int32Array.from(ids, (_, i) => i + 1);
    const previous = Int32Array.from(ids, (_, i) => i - 1);
    const queue = new RankQueue();
    const offer = (at: number): void => {
      if (at >= 0 && next[at]! < ids.length) queue.push(this.rankOf(ids[at]!, ids[next[at]!]), at);
    };
    for (let at = 0; at < ids.length; at++) offer(at);
    for (let turn = 1; queue.pop(); turn++) {
      if (turn % TURN === 0) yield;
      const { rank, at } = queue;
      const right = next[at]!;
      // Another merge may have taken one of the two.
      if (right >= ids.length || ids[at] === GONE || this.rankOf(ids[at]!, ids[right]) !== rank) continue;
      ids[at] = this.merged[rank]!;
      ids[right] = GONE;
      next[at] = next[right]!;
      if (next[at] < ids.length) previous[next[at]] = at;
      offer(previous[at]!);
      offer(at);
    }
    return Array.from(ids.filter((id) => id !== GONE));
  }

  private rankOf(left: number, right: number | undefined): number {
    const rank = right === undefined ? -1 : this.ranks.get(left, right);
    return rank < 0 ? NONE : rank;
  }
}

const NONE = Infinity;
const GONE = -1;
/** Ids up to which it is faster to look at all of them. */
const SHORT = 24;
/** Merges between two stops: some milliseconds. */
const TURN = 2 ** 14;

/** A binary heap of places by rank, then by place. Both are in one number: 2²⁶ places, 2²⁷ ranks. */
class RankQueue {
  rank = 0;
  at = 0;
  private readonly heap: number[] = [];

  push(rank: number, at: number): void {
    if (rank === NONE) return;
    const { heap } = this;
    const key = rank * PLACES + at;
    let i = heap.length;
    heap.push(key);
    for (let parent = (i - 1) >> 1; i > 0 && heap[parent]! > key; parent = (i - 1) >> 1) {
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = key;
  }

  /** Takes the first into `rank` and `at`. */
  pop(): boolean {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return false;
    this.rank = Math.floor(first / PLACES);
    this.at = first % PLACES;
    if (heap.length > 0) this.sink(last);
    return true;
  }

  private sink(key: number): void {
    const { heap } = this;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
      if (child >= heap.length || heap[child]! >= key) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = key;
  }
}

const PLACES = 2 ** 26;

/** Merges are pairs, or in files of before 2024 texts with a space between the two. */
function readMerges(spec: BytePairSpec, file: string): readonly Merge[] {
  const isOld = typeof spec.merges[0] === 'string';
  const merges = isOld ? spec.merges.filter((merge) => !String(merge).startsWith('#version')) : spec.merges;
  return merges.map((merge, rank) => {
    const pair: unknown = isOld && typeof merge === 'string' ? merge.split(' ') : merge;
    if (isPair(pair)) return pair;
    throw tokenizerError(file, `merge ${rank} to be two tokens`, shown(merge));
  });
}

function isPair(value: unknown): value is Merge {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string' && part !== '');
}

function hasStandIn(pair: Merge, spec: BytePairSpec): boolean {
  return pair.some((token) => token === spec.unk_token || (spec.byte_fallback && BYTE_TOKEN.test(token)));
}

const BYTE_TOKEN = /^<0x[0-9A-F]{2}>$/;

function junctionsOf(merges: readonly Merge[]): Map<number, Set<number>> {
  const junctions = new Map<number, Set<number>>();
  for (const [left, right] of merges) {
    const last = left.codePointAt(left.length - (/[\udc00-\udfff]$/.test(left) && left.length > 1 ? 2 : 1))!;
    const firsts = junctions.get(last);
    if (firsts) firsts.add(right.codePointAt(0)!);
    else junctions.set(last, new Set([right.codePointAt(0)!]));
  }
  return junctions;
}
