import { SCRIPTS } from './characterTables.ts';
import { rangesOf } from './codePoints.ts';
import type { Segment } from './splitPattern.ts';

/**
 * Cuts a text where one script follows another; characters of none go with those before them. As in the Rust library, what
 * stands before the first character of a script is lost.
 */
export function* splitAtScripts(text: string): Generator<Segment> {
  const scripts = scriptTable();
  let begin = -1;
  let last = 0;
  for (let at = 0; at < text.length;) {
    const point = text.codePointAt(at)!;
    const script = scripts[point]!;
    if (script !== 0 && script !== last) {
      if (begin >= 0) yield { begin, end: at, isMatch: false };
      begin = at;
      last = script;
    }
    at += point > 0xffff ? 2 : 1;
  }
  if (begin >= 0) yield { begin, end: text.length, isMatch: false };
}

let table: Uint8Array | undefined;

/** Code point → number of its script, 0 where it has none. */
function scriptTable(): Uint8Array {
  if (!table) {
    table = new Uint8Array(0x110000);
    for (const [i, points] of SCRIPTS.entries()) {
      for (const [first, last] of rangesOf(points)) table.fill(i + 1, first, last + 1);
    }
  }
  return table;
}
