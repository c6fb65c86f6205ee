import { listsInTable } from './listsInTable.ts';
import { LOOKAHEAD, markLists } from './markLists.ts';
import { blockOf, inOrder, namesBlocks, readItems } from './readItems.ts';
import { splitLine } from './splitLine.ts';
import type { NumbersOfLine } from './splitLine.ts';
import { isHeadingOfThought, isWithinSentence, LIST, standingInLine, standingOfLabel, takesBack } from './standing.ts';
import type { Standing } from './standing.ts';

/** Something in an answer that looks like a list of rates. */
export interface FoundList {
  /** Its numbers as they are spelt, or why there are none to be had. */
  readonly numbers: readonly string[] | string;
  /** In brackets a list shows where it ends; on lines, it may be cut off, or begin with a number of its own. */
  readonly bracketed: boolean;
  /** Of a quotation (`> …`), which counts where nothing else stands in a reply. */
  readonly quoted: boolean;
  /** The reply ends with it. */
  last: boolean;
  standing: Standing;
}

/**
 * Whatever looks like a list of rates in an answer, in its order, with how it stands there: in square brackets, wherever they are; in
 * round or curly ones, or without any, where a line holds nothing else but a label; one number a line; in a table. Time is linear.
 *
 * @param text as `answerText` makes it
 * @param blocks numbers that a list should have
 */
export function findLists(text: string, blocks: number): readonly FoundList[] {
  const { text: marked, bodies } = markLists(text, blocks);
  const reader = new LineReader(blocks, bodies);
  const lines = marked.split('\n', MOST_LINES + 1);
  if (lines.length > MOST_LINES) return [];
  for (const [i, line] of lines.entries()) reader.read(line, lines[i - 1] ?? '', lines[i + 1] ?? '');
  return reader.end();
}

/** No answer has so many lines, or lists. */
const MOST_LINES = 50_000;
const MOST_FOUND = 10_000;

const HEADING = /^#{1,6}\s|[:[{(]$/;
/** What ends thoughts that began with a heading. */
const NEW_LISTS = /^#{1,6}\s|config|lists?\b|proposal|offspring|child|mutation|crossover|\brates\b/i;
const FIRST_BLOCK = /(?:(?:block|layer)[\s_#[(-]{0,2}|\b[blpr]_?)[01]\b[\])"']{0,2}\s?[:=→]/i;

/** Lines of one number each that may be one list. */
interface Column {
  readonly numbers: string[];
  readonly indices: (number | undefined)[];
  readonly standing: Standing;
  readonly quoted: boolean;
}

class LineReader {
  private readonly found: FoundList[] = [];
  private readonly blocks: number;
  private readonly bodies: readonly (readonly string[] | string)[];
  private nextBody = 0;
  /** What the last heading says of the lists below it, and whether it stays so beyond the next words. */
  private section: Standing = 'plain';
  private isThought = false;
  /** What the line before says of lists that follow it at once. */
  private line: Standing | undefined;
  private column: Column | undefined;
  private table: string[] = [];
  /** A line that ends with a comma, with fewer numbers than a list has. */
  private wrapped: { readonly body: string; readonly standing: Standing; readonly quoted: boolean } | undefined;
  private withdrawnUpTo = 0;
  /** The last line, and how many were found before it. */
  private endsIn = '';
  private foundBefore = 0;

  constructor(blocks: number, bodies: readonly (readonly string[] | string)[]) {
    this.blocks = blocks;
    this.bodies = bodies;
  }

  read(whole: string, previous: string, next: string): void {
    const isWithin = (): boolean => isWithinSentence(previous, next);
    if (this.found.length > MOST_FOUND) return;
    this.endsIn = whole;
    this.foundBefore = this.found.length;
    const quoted = /^\s{0,9}>/.test(whole);
    const line = quoted ? whole.replace(/^\s{0,9}(?:>\s?)+/, '') : whole;
    const isMarked = line.includes(LIST);
    if (!isMarked && isRow(line)) {
      this.endLines();
      this.table.push(line);
      return;
    }
    this.endTable();
    if (isMarked) {
      this.endLines();
      this.readMarked(line, quoted, isWithin);
      return;
    }
    if (line.trim() === '') {
      this.line = undefined;
      if (this.column?.indices.at(-1) === undefined) this.endColumn();
      return;
    }
    if (this.readLabelled(line, quoted)) return;
    const numbers = splitLine(line);
    if (numbers && this.readNumbers(numbers, quoted, isWithin)) return;
    this.endLines();
    this.readWords(line);
  }

  end(): readonly FoundList[] {
    this.endTable();
    this.endLines();
    const last = this.found.at(-1);
    if (last && this.endsIn.trim() !== '' && this.found.length > this.foundBefore) last.last = true;
    return this.found;
  }

  private get inherited(): Standing {
    return this.line ?? this.section;
  }

  private add(list: Omit<FoundList, 'last'>): void {
    this.found.push({ ...list, last: false });
  }

  private readMarked(line: string, quoted: boolean, isWithin: () => boolean): void {
    const parts = line.split(LIST);
    let before = parts[0]!;
    for (let i = 0; i + 1 < parts.length && this.found.length <= MOST_FOUND; i++) {
      const isLast = i + 2 === parts.length;
      const inherited = i === 0 && before.trim() === '' && isWithin() ? 'sentence' : this.inherited;
      if (takesBack(before)) this.takeBack();
      const standing = this.standing(before, isLast ? parts[i + 1]! : `${parts[i + 1]!}${LIST}`, inherited);
      this.add({ numbers: this.bodies[this.nextBody++]!, bracketed: true, quoted, standing });
      // A sentence ends with its line, and what is said after a list is said of that.
      this.line = standing === 'plain' || standing === 'final' || standing === 'other' ? standing : undefined;
      before = LIST + parts[i + 1]!;
    }
    if (takesBack(before)) this.takeBack();
    if (/^[^\p{L}]*[\]}]/u.test(before.slice(1))) this.line = undefined;
  }

  private standing(before: string, after: string, inherited: Standing): Standing {
    const standing = isOfOneBlock(before) ? 'other' : standingInLine(before, after, inherited, this.section);
    return this.isThought && standing === 'plain' ? 'other' : standing;
  }

  private readNumbers(line: NumbersOfLine, quoted: boolean, isWithin: () => boolean): boolean {
    const { label, body, after, ordinal, bullets } = line;
    const items = readItems(body, this.blocks + 1);
    if (typeof items !== 'string' && items.numbers.length === 1 && !(this.wrapped && label === '')) {
      const index = label === '' ? ordinal : blockOf(label.replace(/[\s:=→]+$/, ''));
      if (label !== '' && index === undefined) return false;
      this.addToColumn(items.numbers[0]!, index, quoted, bullets > 1);
      return true;
    }
    this.endColumn();
    const inherited = label === '' && isWithin() ? 'sentence' : this.inherited;
    const standing = this.standing(label, after, inherited);
    const isContinued = this.wrapped !== undefined && label === '' && ordinal === undefined && bullets === 0;
    if (!isContinued) this.endWrapped();
    const joined = { body: isContinued ? `${this.wrapped!.body},${body}` : body, quoted, standing };
    const first = isContinued ? this.wrapped!.standing : standing;
    if (after.startsWith(',') && splitCount(joined.body) < this.blocks) {
      this.wrapped = { ...joined, standing: first };
      return true;
    }
    this.wrapped = undefined;
    return this.addLine({ ...joined, standing: first });
  }

  /** `Block 0: 0.1, Block 1: 0.2, …` */
  private readLabelled(line: string, quoted: boolean): boolean {
    const begin = line.search(FIRST_BLOCK);
    const items = begin === -1 ? '' : readItems(line.slice(begin).replace(/[.\s]+$/, ''), this.blocks + LOOKAHEAD);
    if (typeof items === 'string' || items.numbers.length < 2) return false;
    this.endLines();
    const standing = this.standing(line.slice(0, begin), '', this.inherited);
    this.add({ numbers: items.numbers, bracketed: false, quoted, standing });
    return true;
  }

  /** @returns whether it was long enough to be a list */
  private addLine({ body, standing, quoted }: NonNullable<LineReader['wrapped']>): boolean {
    const count = splitCount(body);
    if (count !== this.blocks && count < Math.max(3, this.blocks / 2)) return false;
    const items = readItems(body, this.blocks + LOOKAHEAD);
    this.endWrapped();
    this.add({ numbers: typeof items === 'string' ? items : items.numbers, bracketed: false, quoted, standing });
    this.line = standing === 'sentence' ? undefined : standing;
    return true;
  }

  private addToColumn(number: string, index: number | undefined, quoted: boolean, begins: boolean): void {
    this.endWrapped();
    const before = this.column?.indices.at(-1);
    const goesOn = index === undefined ? before === undefined : before !== undefined && index === before + 1;
    if (!goesOn || begins) this.endColumn();
    this.column ??= { numbers: [], indices: [], standing: this.inherited, quoted };
    this.column.numbers.push(number);
    this.column.indices.push(index);
  }

  private readWords(line: string): void {
    const words = line.trim();
    this.line = undefined;
    if (takesBack(words)) this.takeBack();
    const isHeading = HEADING.test(words) || (!/[:=.]/.test(words) && words.split(/\s+/, 7).length < 7);
    const standing = isHeading ? standingOfLabel(words) : 'plain';
    if (isHeading && isHeadingOfThought(words)) [this.section, this.isThought] = ['other', true];
    else if (standing === 'final' || !this.isThought || (isHeading && NEW_LISTS.test(words))) {
      [this.section, this.isThought] = [standing, false];
    }
  }

  private takeBack(): void {
    for (; this.withdrawnUpTo < this.found.length; this.withdrawnUpTo++) {
      const list = this.found[this.withdrawnUpTo]!;
      if (list.standing === 'plain' || list.standing === 'final') list.standing = 'withdrawn';
    }
  }

  private endLines(): void {
    this.endWrapped();
    this.endColumn();
  }

  private endWrapped(): void {
    const { wrapped } = this;
    this.wrapped = undefined;
    if (wrapped) this.addLine(wrapped);
  }

  private endColumn(): void {
    const { column, blocks } = this;
    this.column = undefined;
    if (!column) return;
    const { numbers, indices, standing, quoted } = column;
    if (numbers.length !== blocks && numbers.length < 3) return;
    const isIndexed = indices[0] !== undefined;
    const ordered = isIndexed ? inOrder(indices as number[], numbers) : numbers;
    this.add({
      numbers: ordered ?? 'its blocks are not numbered from the first on',
      bracketed: false,
      quoted,
      standing,
    });
  }

  private endTable(): void {
    const { table } = this;
    if (table.length === 0) return;
    this.table = [];
    for (const { numbers, label, after } of listsInTable(table, this.blocks)) {
      const standing = label === '' ? this.inherited : this.standing(`${label}:`, after, this.inherited);
      this.add({ numbers, bracketed: true, quoted: false, standing });
    }
  }
}

/** A label of one block is no label of a list of all of them. */
function isOfOneBlock(label: string): boolean {
  const name = label.slice(-100);
  return namesBlocks(name) && blockOf(name.replace(/^[^\w"']+/, '').replace(/[\s:=→["'{]+$/, '')) !== undefined;
}

function splitCount(body: string): number {
  const items = readItems(body, 100_000);
  return typeof items === 'string' ? body.split(/[,;]/).length : items.numbers.length;
}

/** Of a table: it has cells. */
function isRow(line: string): boolean {
  const words = line.trim();
  return words.includes('|') && (words.startsWith('|') || words.split('|', 3).length > 2);
}
