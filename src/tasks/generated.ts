import { strip } from '../base/pythonText.ts';
import type { Harness } from '../experiment/tasks.ts';
import type { TaskMeans } from './judge.ts';

/** How an answer to GSM8K is generated: greedily, with no more tokens than these, until one of these texts appears. */
export interface Generation {
  readonly most: number;
  readonly stops: readonly string[];
}

/** 0.4: `gsm8k.yaml` of v0.4.12. 0.3: `tasks/gsm8k.py` and `base.py` of df3da98. The end token stops both. */
export const GSM8K_GENERATION: Readonly<Record<Harness, Generation>> = {
  '0.4': { most: 256, stops: ['Question:', '</s>', '<|im_end|>'] },
  '0.3': { most: 256, stops: [':', 'Question:', 'Question'] },
};

/** What stands before the first of each stop text in turn. */
export function cutAtStops(text: string, stops: readonly string[]): string {
  return stops.reduce((cut, stop) => cut.split(stop, 1)[0]!, text);
}

/** What is no answer. */
const INVALID = '[invalid]';

/** The number behind the first `####`. */
export function strictMatch(text: string): string {
  return strip(/#### (-?[0-9.,]+)/.exec(text)?.[1] ?? INVALID);
}

/** The last number of the text, whatever stands before it. */
export function flexibleExtract(text: string): string {
  const last = [...text.matchAll(/(-?[$0-9.,]{2,})|(-?[0-9]+)/g)].at(-1);
  return strip(last?.[0] ?? INVALID);
}

/** Whether a generated text has the answer, by the harness's filters and metric. @param text cut at stops @param answer the whole solution */
export function generatedRights(
  harness: Harness,
  text: string,
  answer: string,
): Readonly<Partial<Record<keyof TaskMeans, boolean>>> {
  if (harness === '0.3') {
    const gold = withoutCommas(strictMatch(answer));
    return { acc: gold !== INVALID && withoutCommas(strictMatch(text)) === gold };
  }
  const gold = plain(answer);
  return { strict_match: plain(strictMatch(text)) === gold, flexible_extract: plain(flexibleExtract(text)) === gold };
}

function withoutCommas(text: string): string {
  return text.replaceAll(',', '');
}

/** `exact_match` with the patterns that `gsm8k.yaml` ignores, in its order: `,` `\$` `(?s).*#### ` `\.$`, and case. */
function plain(text: string): string {
  const bare = withoutCommas(text).replaceAll('$', '');
  const mark = bare.lastIndexOf(MARK);
  // Python's $ is also before a line feed at the end.
  return (mark < 0 ? bare : bare.slice(mark + MARK.length)).replace(/\.(?=\n?$)/, '').toLowerCase();
}

const MARK = '#### ';
