import { MEAN_TOLERANCE, meanOf, printRate, projectRates, ratesKey } from '../rates.ts';
import type { RateSpace } from '../rates.ts';
import { answerText } from './reply/answerText.ts';
import { findLists } from './reply/findLists.ts';
import type { FoundList } from './reply/findLists.ts';
import { LOOKAHEAD } from './reply/markLists.ts';
import { numberOf, quoteOf } from './reply/readItems.ts';
import { OBJECTIONS } from './reply/standing.ts';

/** What stood in a reply. */
export interface ParsedReply {
  /** At most as many as were wanted, in the order of the reply. */
  readonly lists: readonly ParsedList[];
  /** Why each of the others cannot be used, in the order of the reply. */
  readonly refused: readonly string[];
}

export interface ParsedList {
  readonly rates: readonly number[];
  /** Whether it had to be projected onto mean, range and five decimals. */
  readonly repaired: boolean;
}

export interface Wanted {
  readonly space: RateSpace;
  readonly count: number;
  /** Keys of the rates that there are already, see {@link ratesKey}. */
  readonly known: ReadonlySet<string>;
}

/**
 * Reads the lists of rates in a language model's reply. The reply is data from outside: whatever it says, what comes out of it are
 * lists of as many rates as there are blocks, in [0, 1], with the mean, each new.
 *
 * A list is what a person would take for one (`answerText` and `findLists` say how); numbers in prose, in thoughts, in examples and in
 * drafts are none. What can be read in two ways is refused: asking again costs a request, and rates that nobody proposed mislead the
 * search. One that is nearly right (mean up to 0.1 off, rates up to 0.1 out of range, other decimals) is projected. Of more lists than
 * were wanted the last ones count: what stands before may be drafts. Time is linear in the length of the reply, and of one that is
 * longer than {@link MAX_LENGTH} nothing is read.
 */
export function parseReply(text: string, wanted: Wanted): ParsedReply {
  if (text.length > MAX_LENGTH) return { lists: [], refused: ['it is too long'] };
  const { space, count } = wanted;
  const found = answers(findLists(answerText(text), space.shares.length));
  const lists: ParsedList[] = [];
  const refused: string[] = [];
  const known = new Set(wanted.known);
  for (const list of found) {
    const read = readList(list, space);
    if (typeof read === 'string') {
      if (refused.length < MAX_REFUSED) refused.push(read);
      continue;
    }
    const key = ratesKey(read.rates);
    if (!known.has(key)) {
      known.add(key);
      lists.push(read);
    } else if (refused.length < MAX_REFUSED) {
      refused.push(
        read.repaired ? 'it is the same as another one, once it has the right mean' : 'it was there already',
      );
    }
  }
  return { lists: lists.slice(-count), refused };
}

/** UTF-16 units. */
const MAX_LENGTH = 4 << 20;
export const MAX_REFUSED = 1000;

/** Farthest that a list's mean, and a rate from its range, may be off to count as nearly right. */
const NEAR = 0.1 + 1e-9;

/** Where a reply says which lists are its answer, the others are none; a quotation is one where nothing else is. */
function answers(found: readonly FoundList[]): readonly FoundList[] {
  const isFinal = found.some(({ standing, numbers }) => standing === 'final' && typeof numbers !== 'string');
  const left = isFinal ? found.filter(({ standing }) => standing === 'final') : found;
  const spoken = left.filter(({ quoted }) => !quoted);
  return spoken.some(({ standing }) => OBJECTIONS[standing] === undefined) ? spoken : left;
}

/** @returns the list, or why it cannot be used */
function readList({ numbers, standing, ...list }: FoundList, space: RateSpace): ParsedList | string {
  const length = space.shares.length;
  if (typeof numbers === 'string') return numbers;
  if (numbers.length !== length) {
    const many = numbers.length >= length + LOOKAHEAD ? `${numbers.length} or more` : String(numbers.length);
    return `it has ${many} ${many === '1' ? 'number' : 'numbers'} instead of ${length}`;
  }
  const objection = OBJECTIONS[standing] ?? (list.bracketed ? undefined : objectionToLine(numbers, list.last));
  if (objection !== undefined) return objection;
  const rates = numbers.map(numberOf);
  const outside = rates.findIndex((rate) => !(rate >= -NEAR && rate <= 1 + NEAR));
  if (outside !== -1) return `${shown(numbers[outside]!)} is not between 0 and 1`;
  // `[0, 1]` is how a range is written, and a list of such numbers how one writes which blocks there are.
  if (space.mean > 0 && space.mean < 1 && rates.every((rate) => rate === 0 || rate === 1)) return 'it has only 0 and 1';
  if (space.budget) return ontoBudget(rates, space);
  const off = meanOf(rates, space) - space.mean;
  if (Math.abs(off) > NEAR) return `its mean is ${(space.mean + off).toFixed(5)} instead of ${space.mean.toFixed(5)}`;
  const isExact = rates.every((rate) => rate >= 0 && rate <= 1 && Number(printRate(rate)) === rate);
  if (isExact && Math.abs(off) <= MEAN_TOLERANCE) return { rates, repaired: false };
  return { rates: projectRates(rates, space), repaired: true };
}

/** Under a budget no mean is exact: the list counts as nearly right where little of it has to be moved. */
function ontoBudget(rates: readonly number[], space: RateSpace): ParsedList | string {
  const projected = projectRates(rates, space);
  const [mean, wanted] = [meanOf(rates, space), meanOf(projected, space)];
  if (Math.abs(mean - wanted) > NEAR)
    return `its mean is ${mean.toFixed(5)}, and with about ${wanted.toFixed(5)} the budget would be met`;
  return { rates: projected, repaired: ratesKey(projected) !== ratesKey(rates) };
}

/** What a list without brackets can be besides a list. */
function objectionToLine(numbers: readonly string[], isLast: boolean): string | undefined {
  const [first = '', ...others] = numbers;
  if (others.length > 0 && /^\d+$/.test(first) && others.every((number) => /[.%]/.test(number))) {
    return 'its first number may be no rate: a list without brackets that begins with a whole number';
  }
  const places = numbers.map((number) => number.split('.')[1]?.length ?? 0);
  const [least, most, last] = [Math.min(...places.slice(0, -1)), Math.max(...places.slice(0, -1)), places.at(-1)!];
  return isLast && least === most && least > 2 && last < least ? 'its last number may be cut off' : undefined;
}

function shown(number: string): string {
  const value = Number(numberOf(number).toPrecision(6));
  return Number.isFinite(value) && number.length < 40 ? String(value) : quoteOf(number);
}
