import { LOOKAHEAD } from './markLists.ts';
import { blockOf, inOrder, namesBlocks, readItems } from './readItems.ts';

export interface ListInTable {
  readonly numbers: readonly string[] | string;
  /** What the table calls it. */
  readonly label: string;
  /** What the cells behind it say. */
  readonly after: string;
}

/**
 * Lists in a table of Markdown: a row each, where the head numbers the blocks, or has as many numbers as there are blocks; or a column
 * each, where the first one numbers the blocks; or a cell each. A row with a number of its own before the rates has one too many, unless
 * the head says what it is.
 */
export function listsInTable(lines: readonly string[], blocks: number): readonly ListInTable[] {
  const all = lines.map(cellsOf).filter((cells) => cells.length > 0);
  const rows = all.filter((cells) => !cells.every((cell) => /^:?-{1,99}:?$/.test(cell)));
  const [head, ...others] = rows;
  if (!head) return [];
  const isHead = !head.some((cell) => /\d\.\d/.test(cell));
  const columns = isHead ? columnsOfBlocks(head, blocks) : undefined;
  const byRow = columns === undefined ? undefined : others.map((cells) => listOfRow(cells, columns, blocks));
  const byColumn = isHead ? listsOfColumns(head, others, blocks) : undefined;
  if (byRow && byColumn) {
    const [isOfRows, isOfColumns] = [namesBlocks(head[columns!] ?? ''), namesBlocks(head[0] ?? '')];
    if (isOfRows !== isOfColumns) return isOfRows ? byRow : byColumn;
    return byRow.map((list) => ({ ...list, numbers: 'its table can be read in two ways' }));
  }
  return byRow ?? byColumn ?? (isHead ? others : rows).flatMap((cells) => listsOfCells(cells, blocks));
}

function cellsOf(line: string): readonly string[] {
  const cells = line
    .trim()
    .split('|')
    .map((cell) => cell.trim());
  return cells.slice(cells[0] === '' ? 1 : 0, cells.length > 1 && cells.at(-1) === '' ? -1 : undefined);
}

/** The first of the columns that the head numbers as blocks, one after the other. */
function columnsOfBlocks(head: readonly string[], blocks: number): number | undefined {
  for (let first = 0; first + blocks <= head.length; first++) {
    const numbers = head.slice(first, first + blocks).map(blockOf);
    if ((numbers[0] === 0 || numbers[0] === 1) && numbers.every((number, i) => number === numbers[0]! + i))
      return first;
  }
  return undefined;
}

function listOfRow(cells: readonly string[], first: number, blocks: number): ListInTable {
  const numbers = cells.slice(first, first + blocks);
  return {
    numbers: asItems(numbers.length < blocks ? numbers : numbers, blocks),
    label: cells.slice(0, first).join(' '),
    after: cells.slice(first + blocks).join(' '),
  };
}

function listsOfColumns(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  blocks: number,
): readonly ListInTable[] | undefined {
  const numbered = rows.filter(([first]) => blockOf(first ?? '') !== undefined);
  // Below the blocks there may be a row of means.
  if (numbered.length !== blocks || rows.slice(0, blocks).some((row, i) => row !== numbered[i])) return undefined;
  const order = numbered.map(([first]) => blockOf(first!)!);
  const ordered = inOrder(order, numbered);
  if (!ordered) return undefined;
  return head.slice(1).flatMap((label, i) => {
    const numbers = ordered.map((row) => row[i + 1] ?? '');
    return numbers.every((number) => /\d/.test(number))
      ? [{ numbers: asItems(numbers, blocks), label, after: '' }]
      : [];
  });
}

/** Cells that hold a whole list each, or else one list in all cells. */
function listsOfCells(cells: readonly string[], blocks: number): readonly ListInTable[] {
  const whole = cells.flatMap((cell, i) => {
    const items = readItems(cell, blocks + LOOKAHEAD);
    return typeof items === 'string' || items.numbers.length < Math.max(2, blocks / 2) ? [] : [{ items, i }];
  });
  if (whole.length > 0) {
    return whole.map(({ items, i }) => ({ numbers: items.numbers, label: cells[i - 1] ?? '', after: '' }));
  }
  const isLabelled = !/^["']?[-+.]?\d/.test(cells[0] ?? '');
  const numbers = isLabelled ? cells.slice(1) : cells;
  const isList = numbers.length >= Math.max(3, blocks / 2) && numbers.every((cell) => /^["']?[-+.]?\d/.test(cell));
  return isList ? [{ numbers: asItems(numbers, blocks), label: isLabelled ? cells[0]! : '', after: '' }] : [];
}

function asItems(cells: readonly string[], blocks: number): readonly string[] | string {
  if (cells.some((cell) => /[,;|&]/.test(cell))) return 'its cells hold more than one number';
  const items = readItems(cells.join(','), blocks + LOOKAHEAD);
  return typeof items === 'string' ? items : items.numbers;
}
