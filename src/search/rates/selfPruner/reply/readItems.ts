/** A list of numbers as it is spelt. */
export interface Items {
  /** Numbers as {@link numberOf} takes them. */
  readonly numbers: readonly string[];
  /** Each says of which block it is: they are in the order of the blocks, whatever order they stood in. */
  readonly labelled: boolean;
}

/**
 * Reads what is nothing but a list: numbers, each perhaps in quotes, with a note in round brackets, or with the block that it is of
 * (`Block 3: 0.3`). Commas part them, or semicolons, bars, ends of lines; where there is none of these, blanks. A separator at the end
 * is no harm, one too many in the middle means that a number is missing.
 *
 * @param most items that are looked at
 * @returns the numbers, or why it is no list
 */
export function readItems(body: string, most: number): Items | string {
  const items = splitItems(body.replace(NOTE, ' '), most);
  const read: LabelledNumber[] = [];
  for (const item of items) {
    const one = readItem(item);
    if (!one) return item === '' ? 'it has two commas in a row' : `${quoteOf(item)} is not a decimal number`;
    read.push(one);
  }
  const percents = read.filter(({ number }) => number.endsWith('%')).length;
  if (percents > 0 && percents < read.length) return 'it has percents and other numbers';
  const numbers = read.map(({ number }) => number);
  const labels = read.flatMap(({ block }) => (block === undefined ? [] : [block]));
  if (labels.length === 0) return { numbers, labelled: false };
  if (labels.length < read.length) return 'it says of some of its numbers which block they are of';
  const ordered = inOrder(labels, numbers);
  return ordered ? { numbers: ordered, labelled: true } : 'its blocks are not numbered one after the other';
}

export interface LabelledNumber {
  readonly number: string;
  /** As it is numbered, from 0 or from 1. */
  readonly block?: number;
}

/** One number, with or without the block that it is of; undefined for anything else. */
function readItem(text: string): LabelledNumber | undefined {
  if (text.length > LONGEST_ITEM) return undefined;
  const plain = unquoted(text);
  if (isNumber(plain)) return { number: plain };
  const at = plain.search(/[:=→](?=[^:=→]*$)/);
  if (at === -1) return undefined;
  const [block, number] = [blockOf(plain.slice(0, at)), unquoted(plain.slice(at + 1))];
  return block !== undefined && isNumber(number) ? { number, block } : undefined;
}

/** The number of a block that a label names (`Block 3`, `"layer_3"`, `p[3]`, `3`), and nothing else. */
export function blockOf(label: string): number | undefined {
  const found = label.length > LONGEST_ITEM ? null : BLOCK.exec(unquoted(label));
  return found ? Number(found[1]) : undefined;
}

/** Whether a label names blocks by a word, not by a number alone. */
export function namesBlocks(label: string): boolean {
  return BLOCK_WORD.test(label);
}

/** The numbers by their blocks; undefined where these are not all of 0 … n − 1, or of 1 … n. */
export function inOrder<Value>(blocks: readonly number[], values: readonly Value[]): readonly Value[] | undefined {
  const first = blocks.reduce((least, block) => Math.min(least, block), Infinity);
  if (first !== 0 && first !== 1) return undefined;
  const ordered = new Array<Value | undefined>(blocks.length).fill(undefined);
  for (const [i, block] of blocks.entries()) {
    if (block - first >= blocks.length || ordered[block - first] !== undefined) return undefined;
    ordered[block - first] = values[i];
  }
  return ordered as Value[];
}

/** The value of what {@link readItems} takes for a number; not finite where it is too large. */
export function numberOf(text: string): number {
  // A percent is two places further left, and rounded once.
  return text.endsWith('%') ? Number(`${text.slice(0, -1).trim()}e-2`) + 0 : Number(text) + 0;
}

/** Part of a reply as it may stand in a prompt, a log or a journal. */
export function quoteOf(text: string): string {
  const start = text.slice(0, 20).replace(/[^\x20-\x7e]/g, '?');
  return JSON.stringify(text.length > 20 ? `${start}…` : start);
}

/** Longer ones are no number. */
const LONGEST_ITEM = 200;
const NOTE = /\((?=[^()\d]{0,200}\))[^()]*\)/g;
const NUMBER = /^[+-]?(?:\d{1,9}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,3}|\s?%)?$/;
const QUOTED = /^(["'])([^"']*)\1$/;
const BLOCK =
  /^(?:(?:the|transformer|decoder|model|pruning)[\s_.-]?){0,3}(?:blocks?|blk|layers?|rates?|ratios?|idx|index|no|[blprxhsi])?[\s_.#[(-]{0,3}(\d{1,4})[\])]?(?:[\s_](?:rate|ratio))?$/i;
const BLOCK_WORD = /block|layer/i;

function isNumber(text: string): boolean {
  return NUMBER.test(text);
}

function unquoted(text: string): string {
  const trimmed = text.trim();
  const found = QUOTED.exec(trimmed);
  return found ? found[2]!.trim() : trimmed;
}

function splitItems(body: string, most: number): readonly string[] {
  const commas = body.split(/[,;]/, most + 1);
  if (commas.length > 1) return decimalCommas(body, most) ?? splitLines(commas);
  if (/[|&]/.test(body)) return trimEnds(body.split(/[|&]/, most + 1).map((item) => item.trim()));
  const lines = body.split('\n', most + 1).flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  const words = lines.flatMap((line) => line.split(/\s+/, most + 1));
  return !/[:=→]/.test(body) || words.every((word) => /\w["']?[:=→]./.test(word)) ? words : lines;
}

/** Ends of lines part items too, so that a comma may be missing there. */
function splitLines(parts: readonly string[]): readonly string[] {
  const items = parts.flatMap((part, i) => {
    const trimmed = part.length > LONGEST_ITEM ? part : part.trim();
    if (trimmed === '' && i === parts.length - 1) return [];
    return trimmed.length > LONGEST_ITEM ? [trimmed] : trimmed.split(/\n/).map((line) => line.trim());
  });
  return items;
}

function trimEnds(items: readonly string[]): readonly string[] {
  return items.slice(items[0] === '' ? 1 : 0, items.length > 1 && items.at(-1) === '' ? -1 : undefined);
}

/** `0,25; 0,3` and `0,25 0,3`: a comma between two digits, where others part the numbers. */
function decimalCommas(body: string, most: number): readonly string[] | undefined {
  if (body.includes('.')) return undefined;
  const items = body.trim().split(/;\s*|,\s+|\s+/, most + 1);
  const last = items.at(-1) === '' ? items.slice(0, -1) : items;
  if (!last.every((item) => /^[+-]?[01],\d{1,40}$/.test(item))) return undefined;
  return last.map((item) => item.replace(',', '.'));
}
