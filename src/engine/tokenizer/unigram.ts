import { PairTable } from './pairTable.ts';
import { shown, tokenizerError, wordTooLong } from './tokenizerError.ts';
import { byteIdsOf, bytesAsIds, requireText } from './vocabulary.ts';
import type { UnigramSpec } from './modelSpec.ts';
import type { EncodedPart, TokenModel } from './tokenModel.ts';

/**
 * SentencePiece's unigram model (Kudo, 2018): of all ways to cut a word into tokens the one with the largest sum of scores, by
 * Viterbi's algorithm. Sums are added up in the Rust library's order, so that ties fall as they do there.
 */
export class Unigram implements TokenModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly size: number;
  private readonly file: string;
  private readonly trie: Trie;
  private readonly scores: Float64Array;
  private readonly unknownId: number | undefined;
  private readonly unknownScore: number;
  private readonly byteIds: readonly (number | undefined)[] | undefined;

  /** @throws EspalierError `checkpoint/tokenizer` */
  constructor(spec: UnigramSpec, file: string) {
    this.file = file;
    const entries = spec.vocab.map((entry, id) => readEntry(entry, id, file));
    this.size = entries.length;
    this.vocabulary = new Map(entries.map(([token], id) => [token, id]));
    this.scores = Float64Array.from(entries, ([, score]) => score);
    this.trie = new Trie(this.vocabulary);
    this.unknownId = spec.unk_id ?? undefined;
    if (this.unknownId !== undefined && this.unknownId >= this.size) {
      throw tokenizerError(file, `model.unk_id to be below ${this.size}, the number of tokens`, `${this.unknownId}`);
    }
    this.unknownScore = this.scores.reduce((least, score) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
    this.byteIds = spec.byte_fallback ? byteIdsOf(this.vocabulary) : undefined;
  }

  encode(word: string): readonly number[] {
    const ids: number[] = [];
    for (const part of this.encodeLong(word)) for (const id of part.ids) ids.push(id);
    return ids;
  }

  /**
   * Every so often it is looked for the place that the best paths to all open ends have in common: what comes before is
   * decided, whatever follows.
   */
  *encodeLong(word: string): Generator<EncodedPart> {
    const path = new BestPath(Math.min(word.length + 1, STRIDE));
    const output = new Output();
    let decided = 0;
    let goal = STRIDE;
    for (let at = 0; at < word.length;) {
      at = this.extend(word, at, path);
      if (at < word.length && at - decided < goal) continue;
      const end = at < word.length ? path.commonPlace(at, this.trie.longest) : at;
      this.write(word, path.tokensTo(end), output);
      yield { ids: output.take(), length: end - decided };
      path.forgetBefore(end);
      decided = end;
      // Where the paths have nothing in common yet, it is looked for less often, so that it stays linear.
      goal = Math.max(STRIDE, 2 * (at - decided));
      if (at - decided > MAX_OPEN) throw wordTooLong(this.file, at - decided, MAX_OPEN);
    }
    this.closeUnknown(word, output);
    yield { ids: output.take(), length: 0 };
  }

  /** All tokens that start at a place; the next place. */
  private extend(word: string, at: number, path: BestPath): number {
    const next = at + (word.codePointAt(at)! > 0xffff ? 2 : 1);
    const soFar = path.scoreAt(at);
    let isKnown = false;
    let node = 0;
    for (let end = at + 1; end <= word.length; end++) {
      node = this.trie.child(node, word.charCodeAt(end - 1));
      if (node < 0) break;
      const id = this.trie.tokenAt(node);
      if (id < 0) continue;
      path.offer(at, end, id, this.scores[id]! + soFar);
      isKnown ||= end === next;
    }
    if (!isKnown) path.offer(at, next, this.unknown(), this.unknownScore + soFar);
    return next;
  }

  private unknown(): number {
    if (this.unknownId !== undefined) return this.unknownId;
    throw tokenizerError(this.file, 'a model.unk_id, for characters without a token', 'none');
  }

  /** Neighbouring unknown characters are one token, and so is what the file calls the unknown token, where it is spelt out. */
  private write(word: string, tokens: readonly PathToken[], output: Output): void {
    for (const { begin, end, id } of tokens) {
      if (id === this.unknownId) {
        if (output.unknownFrom < 0) output.unknownFrom = begin;
        output.unknownTo = end;
      } else {
        this.closeUnknown(word, output);
        output.ids.push(id);
      }
    }
  }

  /** The library looks the fused text up: it may be a token after all, or stood in for byte by byte. */
  private closeUnknown(word: string, output: Output): void {
    const { unknownFrom: begin, unknownTo: end } = output;
    if (begin < 0) return;
    output.unknownFrom = -1;
    const known = end - begin <= this.trie.longest ? this.vocabulary.get(word.slice(begin, end)) : undefined;
    if (known !== undefined) output.ids.push(known);
    else if (!this.byteIds || !this.pushBytes(word, begin, end, output.ids)) output.ids.push(this.unknown());
  }

  private pushBytes(word: string, begin: number, end: number, ids: number[]): boolean {
    const before = ids.length;
    for (let at = begin; at < end;) {
      const next = at + (word.codePointAt(at)! > 0xffff ? 2 : 1);
      const standIns = bytesAsIds(word.slice(at, next), this.byteIds!);
      if (!standIns) {
        ids.length = before;
        return false;
      }
      for (const id of standIns) ids.push(id);
      at = next;
    }
    return true;
  }
}

/** How much worse than the worst token an unknown character is. */
const UNKNOWN_PENALTY = 10;
/** Characters between two looks for a common place. */
const STRIDE = 2 ** 14;
/** Characters that may be undecided: each takes 16 bytes. No vocabulary of text comes near. */
const MAX_OPEN = 2 ** 23;

function readEntry(entry: unknown, id: number, file: string): readonly [token: string, score: number] {
  const pair: readonly unknown[] = Array.isArray(entry) ? entry : [];
  const [token, score] = pair;
  if (pair.length !== 2 || typeof token !== 'string' || typeof score !== 'number' || !Number.isFinite(score)) {
    throw tokenizerError(file, `model.vocab[${id}] to be a token and its score`, shown(entry));
  }
  requireText(token, file);
  return [token, score];
}

/** Tokens by their UTF-16 units. */
class Trie {
  longest = 0;
  private readonly children = new PairTable();
  /** Node → token that ends there, or −1. */
  private readonly tokens: number[] = [-1];

  constructor(vocabulary: ReadonlyMap<string, number>) {
    for (const [token, id] of vocabulary) {
      if (token === '') continue;
      let node = 0;
      for (let i = 0; i < token.length; i++) node = this.childOrNew(node, token.charCodeAt(i));
      this.tokens[node] = id;
      this.longest = Math.max(this.longest, token.length);
    }
  }

  child(node: number, unit: number): number {
    return this.children.get(node, unit);
  }

  tokenAt(node: number): number {
    return this.tokens[node]!;
  }

  private childOrNew(node: number, unit: number): number {
    const found = this.children.get(node, unit);
    if (found >= 0) return found;
    const made = this.tokens.push(-1) - 1;
    this.children.set(node, unit, made);
    return made;
  }
}

interface PathToken {
  readonly begin: number;
  readonly end: number;
  readonly id: number;
}

/** For every place of a word from `origin` on: the best score of a path that ends there, and its last token. */
class BestPath {
  private origin = 0;
  private scores: Float64Array;
  /** Where the last token starts, counted from the origin, or −1 where no path ends. */
  private starts: Int32Array;
  private ids: Int32Array;

  constructor(room: number) {
    this.scores = new Float64Array(room);
    this.starts = new Int32Array(room).fill(-1);
    this.ids = new Int32Array(room);
  }

  scoreAt(place: number): number {
    return this.scores[place - this.origin]!;
  }

  offer(begin: number, end: number, id: number, score: number): void {
    const i = end - this.origin;
    if (i >= this.starts.length) this.grow(i + 1);
    if (this.starts[i]! >= 0 && score <= this.scores[i]!) return;
    this.scores[i] = score;
    this.starts[i] = begin - this.origin;
    this.ids[i] = id;
  }

  /** The last place that the best paths to `place` and to all ends up to `reach` behind it go through. */
  commonPlace(place: number, reach: number): number {
    const first = place - this.origin;
    const ends = new Set([first]);
    for (let i = first + 1; i < Math.min(first + reach, this.starts.length); i++) if (this.starts[i]! >= 0) ends.add(i);
    let last = Math.max(...ends);
    while (ends.size > 1) {
      ends.delete(last);
      ends.add(this.starts[last]!);
      for (last--; !ends.has(last);) last--;
    }
    return last + this.origin;
  }

  /** Tokens from the origin to a place. */
  tokensTo(place: number): PathToken[] {
    const tokens: PathToken[] = [];
    for (let i = place - this.origin; i > 0; i = this.starts[i]!) {
      tokens.push({ begin: this.starts[i]! + this.origin, end: i + this.origin, id: this.ids[i]! });
    }
    return tokens.reverse();
  }

  /** Makes a place the origin. Its score stays, since sums are rounded as they grow. */
  forgetBefore(place: number): void {
    const shift = place - this.origin;
    if (shift === 0) return;
    this.scores.copyWithin(0, shift);
    this.ids.copyWithin(0, shift);
    this.starts.copyWithin(0, shift);
    this.starts.fill(-1, this.starts.length - shift);
    for (let i = 0; i < this.starts.length; i++) if (this.starts[i]! >= 0) this.starts[i] = this.starts[i]! - shift;
    this.origin = place;
  }

  private grow(size: number): void {
    const room = Math.max(size, 2 * this.starts.length);
    const { scores, starts, ids } = this;
    this.scores = new Float64Array(room);
    this.starts = new Int32Array(room).fill(-1);
    this.ids = new Int32Array(room);
    this.scores.set(scores);
    this.starts.set(starts);
    this.ids.set(ids);
  }
}

/** Ids that are decided, and the unknown characters before the next of them. */
class Output {
  ids: number[] = [];
  unknownFrom = -1;
  unknownTo = -1;

  take(): readonly number[] {
    const { ids } = this;
    this.ids = [];
    return ids;
  }
}
