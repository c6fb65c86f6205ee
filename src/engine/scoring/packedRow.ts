import type { Places, Seen } from '../forward/places.ts';
import { HIDDEN } from '../graph/attentionMask.ts';
import type { ReusedArrays } from '../runtime/reusedArrays.ts';
import { commonLength, type RowPlan } from './packSequences.ts';
import { inputOf, type Sequence } from './sequence.ts';

/** A row of tokens in which sequences stand as a tree: what several begin with stands once, each token behind the one before it in its sequence. */
export interface PackedRow {
  /** [length], those that are free 0. */
  readonly ids: Int32Array;
  /** Place of each token in its sequence [length]. */
  readonly positions: Int32Array;
  /** Where in the row the token before it stands [length], −1 of the first ones and of what is free. */
  readonly before: Int32Array;
  /** Tokens that are not free. */
  readonly used: number;
  /** Sequences of the row, and how many of its tokens no earlier one has had. */
  readonly fed: readonly { readonly sequence: number; readonly tokens: number }[];
  /** Tokens of the longest sequence. */
  readonly longest: number;
  readonly asked: readonly AskedToken[];
}

/** A token whose log-probability is asked for. */
export interface AskedToken {
  /** Of the sequence in the list, and of the token in its `ids`. */
  readonly sequence: number;
  readonly index: number;
  /** Where in the row the token before it stands, whose logits are its. */
  readonly at: number;
}

export function packedRow({ length, sequences: members }: RowPlan, sequences: readonly Sequence[]): PackedRow {
  const [ids, positions] = [new Int32Array(length), new Int32Array(length)];
  const before = new Int32Array(length).fill(-1);
  const asked: AskedToken[] = [];
  const fed: { sequence: number; tokens: number }[] = [];
  /** Where the tokens of the last sequence stand. */
  const path: number[] = [];
  let last: Int32Array = new Int32Array(0);
  let used = 0;
  let longest = 0;
  for (const member of members) {
    const sequence = sequences[member]!;
    const input = inputOf(sequence);
    path.length = commonLength(last, input);
    fed.push({ sequence: member, tokens: input.length - path.length });
    for (let place = path.length; place < input.length; place++) {
      ids[used] = input[place]!;
      positions[used] = place;
      before[used] = path[place - 1] ?? -1;
      path.push(used++);
    }
    for (let index = sequence.from; index < sequence.ids.length; index++) {
      asked.push({ sequence: member, index, at: path[index - 1]! });
    }
    last = input;
    longest = Math.max(longest, input.length);
  }
  return { ids, positions, before, used, fed, longest, asked };
}

/**
 * Where the tokens of packed rows of one length are, and that each sees those of its sequence before it, and itself.
 *
 * @param arrays where masks are made, one after the other: each is valid until the next is asked for
 */
export function placesOf(rows: readonly PackedRow[], arrays: ReusedArrays): Places {
  const length = rows[0]!.ids.length;
  const positions = new Int32Array(rows.length * length);
  for (const [index, row] of rows.entries()) positions.set(row.positions, index * length);
  return {
    positions,
    keys: positions,
    longest: Math.max(...rows.map(({ longest }) => longest)),
    mask(window = Infinity) {
      const mask = arrays.take('mask', rows.length * length * length).fill(HIDDEN);
      for (const [index, { before }] of rows.entries()) {
        for (let token = 0; token < length; token++) {
          const row = (index * length + token) * length;
          const last = before[token]!;
          // Without a window a token sees what the one before it sees, and itself.
          const seenBefore = (index * length + last) * length;
          if (window === Infinity && last >= 0) mask.copyWithin(row, seenBefore, seenBefore + last + 1);
          else
            for (let key = last, seen = 1; key >= 0 && seen < window; key = before[key]!, seen++) mask[row + key] = 0;
          mask[row + token] = 0;
        }
      }
      return mask;
    },
    seen: () => seenOf(rows),
  };
}

/** What begins with a token stands behind it without a gap, as sequences are laid down from the first to the last. */
function seenOf(rows: readonly PackedRow[]): Seen {
  const length = rows[0]!.ids.length;
  const from = Int32Array.from({ length: rows.length * length }, (_, place) => place % length);
  const until = from.map((token) => token + 1);
  for (const [index, { before }] of rows.entries()) {
    for (let token = length - 1; token >= 0; token--) {
      const last = before[token]!;
      if (last < 0) continue;
      const [at, own] = [index * length + last, index * length + token];
      until[at] = Math.max(until[at]!, until[own]!);
    }
  }
  return { from, until };
}
