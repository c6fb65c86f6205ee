import { capitalize, strip } from '../base/pythonText.ts';

/**
 * HellaSwag's texts as the harness cleans them (`tasks/hellaswag/utils.py`, preprocess): marks of WikiHow out, and one pass over blanks. What
 * that leaves at the ends stays.
 */
export function cleanHellaSwag(text: string): string {
  return withoutBrackets(strip(text).replaceAll(' [title]', '. ')).replaceAll('  ', ' ');
}

/** The context; of its second part all letters but the first become small. */
export function hellaSwagContext(activity: string, first: string, second: string): string {
  return cleanHellaSwag(`${activity}: ${first} ${capitalize(second)}`);
}

/** Without the shortest `[…]` that stay on a line: `\[.*?\]`, in linear time. */
function withoutBrackets(text: string): string {
  /** Where a mark is next, the end of the text where it is not; `last` where that is still ahead. */
  const next = (mark: string, last: number, open: number): number => {
    if (last > open) return last;
    const found = text.indexOf(mark, open);
    return found < 0 ? text.length : found;
  };
  let kept = '';
  let from = 0;
  let close = -1;
  let feed = -1;
  for (let open = text.indexOf('['); open >= 0; open = text.indexOf('[', open + 1)) {
    close = next(']', close, open);
    feed = next('\n', feed, open);
    if (close === text.length) break;
    // What opens before a line feed does not close behind it.
    if (feed < close) {
      open = feed;
      continue;
    }
    kept += text.slice(from, open);
    from = close + 1;
    open = close;
  }
  return kept + text.slice(from);
}
