import { readItems } from './readItems.ts';
import { LIST } from './standing.ts';

export interface MarkedText {
  /** With {@link LIST} in the place of each list in brackets. */
  readonly text: string;
  /** What stood there, in order: numbers as they are spelt, or why there are none. */
  readonly bodies: readonly (readonly string[] | string)[];
}

/**
 * Finds lists in brackets. What stands between a `[` and the next `]` without another `[` between them is one if it has two numbers at
 * least; the last bracket may not be closed, which is told. Round and curly brackets are taken for a list's where they hold nothing
 * else but one.
 */
export function markLists(text: string, blocks: number): MarkedText {
  const most = blocks + LOOKAHEAD;
  const square = markSquare(text, most, blocks === 1 ? 1 : 2);
  const bodies: (readonly string[] | string)[] = [];
  let next = 0;
  const marked = square.text.replace(OTHER_BRACKETS, (whole, body: string | undefined) => {
    if (body === undefined) {
      bodies.push(square.bodies[next++]!);
      return LIST;
    }
    const items = readItems(body, most);
    if (typeof items === 'string' || items.numbers.length < Math.max(2, blocks / 2)) return whole;
    bodies.push(items.numbers);
    return LIST;
  });
  return { text: marked, bodies };
}

/** What follows so many is not read: no reply has them. */
const MOST_LISTS = 5000;
/** Numbers too many that are counted. */
export const LOOKAHEAD = 1000;
const OTHER_BRACKETS = new RegExp(`${LIST}|[({]([^(){}${LIST}]*)[)}]`, 'g');

function markSquare(text: string, most: number, fewest: number): MarkedText {
  const bodies: (readonly string[] | string)[] = [];
  let marked = '';
  let from = 0;
  let begin = -1;
  for (let i = nextBracket(text, 0); i !== -1; i = nextBracket(text, i + 1)) {
    if (bodies.length === MOST_LISTS) return { text: marked, bodies };
    if (text[i] === '[') {
      begin = i;
      continue;
    }
    if (begin === -1) continue;
    const body = text.slice(begin + 1, i);
    // `rates[3]`
    const isIndex = /^\s{0,9}\d{1,9}\s{0,9}$/.test(body) && /[\w\])]/.test(text[begin - 1] ?? ' ');
    // Lists in round or curly brackets may stand in square ones.
    if (!isIndex && !INNER_LIST.test(body) && numbersIn(body, fewest) >= fewest) {
      const items = readItems(body, most);
      bodies.push(typeof items === 'string' ? items : items.numbers);
      marked += text.slice(from, begin) + LIST;
      from = i + 1;
    }
    begin = -1;
  }
  const open = begin === -1 ? '' : text.slice(begin + 1);
  const numbers = /^[\s\d.,;%"'eE+-]*/.exec(open)![0];
  if (numbersIn(numbers, 1) === 0) return { text: marked + text.slice(from), bodies };
  bodies.push('its closing bracket is missing');
  return { text: marked + text.slice(from, begin) + LIST + open.slice(numbers.length), bodies };
}

const INNER_LIST = /\{|\(\s{0,9}["']?[-+.\d][^(),;]{0,60}[,;]/;

function nextBracket(text: string, from: number): number {
  for (let i = from; i < text.length; i++) if (text[i] === '[' || text[i] === ']') return i;
  return -1;
}

/** How many words of a text begin with a number, up to as many as matter. */
function numbersIn(text: string, most: number): number {
  const number = /(?:^|[\s,;:="'|&])[+-]?\.?\d/g;
  let count = 0;
  while (count < most && number.test(text)) count++;
  return count;
}
