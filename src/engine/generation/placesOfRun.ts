import { HIDDEN } from '../graph/attentionMask.ts';
import type { Places, Seen } from '../forward/places.ts';
import type { Added } from './keyValueCache.ts';

/** What goes through the network together: a chunk of one sequence, or the next token of all. */
export interface Run extends Added {
  readonly ids: readonly Int32Array[];
  /** Earlier tokens that come in, those that no sequence has counted: 0, or the cache's capacity. */
  readonly past: number;
  /** Tokens of the whole sequences, when all is fed. */
  readonly longest: number;
  /** Whether the logits after the last token that counts are asked for. */
  readonly ends: boolean;
}

type PlacedRun = Pick<Run, 'rows' | 'tokens' | 'begins' | 'past' | 'longest'>;

/** Where the tokens of a run are and what they see: of the past what their sequence has seen, of themselves all up to each. */
export function placesOf({ rows, tokens, begins, past, longest }: PlacedRun): Places {
  const limit = Math.max(0, longest - 1);
  const positions = new Int32Array(rows.count * tokens);
  const keys = new Int32Array(rows.count * (past + tokens));
  for (let row = 0; row < rows.count; row++) {
    for (let token = 0; token < tokens; token++) {
      // What fills up a run is nowhere: any position that there is will do.
      const position = Math.min(begins[row]! + token, limit);
      positions[row * tokens + token] = position;
      keys[row * (past + tokens) + past + token] = position;
    }
    for (let key = 0; key < past; key++) keys[row * (past + tokens) + key] = Math.min(key, limit);
  }
  const mask = (window = Infinity): Float32Array => {
    const columns = past + tokens;
    const hidden = new Float32Array(rows.count * tokens * columns).fill(HIDDEN);
    for (let row = 0; row < rows.count; row++) {
      for (let token = 0; token < tokens; token++) {
        const [at, position] = [(row * tokens + token) * columns, begins[row]! + token];
        const first = Math.max(0, position - window + 1);
        hidden.fill(0, at + Math.min(first, begins[row]!), at + Math.min(begins[row]!, past));
        hidden.fill(0, at + past + Math.max(0, first - begins[row]!), at + past + token + 1);
      }
    }
    return hidden;
  };
  const seen = (): Seen => {
    const columns = past + tokens;
    const from = new Int32Array(rows.count * columns);
    const until = new Int32Array(rows.count * columns).fill(tokens);
    for (let row = 0; row < rows.count; row++) {
      // Earlier keys that the sequence has not written are seen by none.
      until.fill(0, row * columns + Math.min(begins[row]!, past), row * columns + past);
      for (let token = 0; token < tokens; token++) from[row * columns + past + token] = token;
    }
    return { from, until };
  };
  return { positions, keys, longest, mask, seen };
}
