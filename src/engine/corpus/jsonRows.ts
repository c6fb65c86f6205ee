import { parseBoundedJson } from '../../base/boundedJson.ts';
import type { EspalierError } from '../../base/errors.ts';
import { reasonOf } from '../../files/fileProblem.ts';
import { corpusError, damaged, LONGEST_ROW, rowTooLong } from './corpusError.ts';
import { FieldReader, listed } from './fieldReader.ts';
import { ListItems } from './listItems.ts';
import type { TextFormat } from './textFormat.ts';
import { textLines } from './textLines.ts';

type JsonRows = (texts: AsyncIterable<string>, file: string, field: string) => AsyncGenerator<readonly string[]>;
type JsonValues = (texts: AsyncIterable<string>, file: string) => AsyncGenerator<readonly unknown[]>;

/**
 * The rows of JSON, many at a time: objects a line, those of a list, or one object. A name twice in a row is an error, since readers differ in which
 * they take.
 *
 * @throws EspalierError `corpus/row`, `corpus/damaged`, `evaluation/too-large`
 */
export const JSON_VALUES: Readonly<Record<Exclude<TextFormat, 'text'>, JsonValues>> = { lines, list, object };

/** The texts of these rows. @throws EspalierError as {@link JSON_VALUES}, and `corpus/field`, `corpus/format` */
export const JSON_ROWS: Readonly<Record<Exclude<TextFormat, 'text'>, JsonRows>> = {
  lines: textsIn(lines),
  list: textsIn(list),
  object: textsInObject,
};

function textsIn(values: JsonValues): JsonRows {
  return async function* (texts, file, field) {
    const reader = new FieldReader(file, field);
    let row = 0;
    for await (const items of values(texts, file)) yield items.map((item) => reader.text(item, ++row));
  };
}

async function* lines(texts: AsyncIterable<string>, file: string): AsyncGenerator<readonly unknown[]> {
  let row = 0;
  for await (const all of textLines(texts, 'line-feed', file)) {
    const written = all.filter((line) => !BLANK.test(line));
    yield written.map((line) => parseRow(line, ++row, file));
  }
}

const BLANK = /^[ \t\r\n]*$/;

async function* list(texts: AsyncIterable<string>, file: string): AsyncGenerator<readonly unknown[]> {
  let row = 0;
  const items = new ListItems(file);
  for await (const text of texts) {
    yield items.push(text).map((item) => parseRow(item, ++row, file));
  }
  items.end();
}

/** It is read at once: what is longer is written as lines. */
async function* object(texts: AsyncIterable<string>, file: string): AsyncGenerator<readonly unknown[]> {
  const parts: string[] = [];
  let length = 0;
  for await (const text of texts) {
    parts.push(text);
    length += text.length;
    if (length > LONGEST_ROW) throw rowTooLong(file, 1);
  }
  yield [parseRow(parts.join(''), 1, file)];
}

/** One row, or the rows in its only list. */
async function* textsInObject(
  texts: AsyncIterable<string>,
  file: string,
  field: string,
): AsyncGenerator<readonly string[]> {
  const reader = new FieldReader(file, field);
  for await (const [item] of object(texts, file)) {
    const value = item as Readonly<Record<string, unknown>>;
    const isRow = typeof value[field || 'text'] === 'string';
    const lists = Object.entries(value).filter(([, member]) => Array.isArray(member));
    if (isRow || lists.length === 0) {
      yield [reader.text(value, 1)];
      return;
    }
    if (lists.length > 1)
      throw severalLists(
        file,
        lists.map(([name]) => name),
      );
    yield (lists[0]![1] as readonly unknown[]).map((each, i) => reader.text(each, i + 1));
  }
}

function severalLists(file: string, names: readonly string[]): EspalierError {
  return corpusError(
    'corpus/format',
    file,
    'JSON that holds one list of rows',
    `an object with several: ${listed(names)}`,
    'Write its rows as JSON lines, one object a line: a table by columns, or features beside rows, could be meant in several ways.',
  );
}

/** @param row counted from 1 */
function parseRow(json: string, row: number, file: string): unknown {
  let value: unknown;
  try {
    value = parseBoundedJson(json);
  } catch (thrown) {
    throw damaged(file, 'JSON', `in row ${row}: ${reasonOf(thrown).slice(0, 120)}`);
  }
  if (countNames(json) === countKeys(value)) return value;
  throw corpusError(
    'corpus/row',
    file,
    `each name once in row ${row}`,
    'one that stands there twice',
    'Write each field once: readers differ in which of two they take.',
  );
}

/** Colons outside of strings: each stands behind a name. */
function countNames(json: string): number {
  let names = 0;
  for (let at = json.search(QUOTE_OR_COLON); at >= 0;) {
    if (json[at] === ':') names++;
    else at = endOfString(json, at);
    QUOTE_OR_COLON_FROM.lastIndex = at + 1;
    at = QUOTE_OR_COLON_FROM.exec(json)?.index ?? -1;
  }
  return names;
}

const QUOTE_OR_COLON = /[":]/;
const QUOTE_OR_COLON_FROM = /[":]/g;

/** Position of the quote that closes a string. */
function endOfString(json: string, open: number): number {
  for (let end = json.indexOf('"', open + 1); ; end = json.indexOf('"', end + 1)) {
    let slashes = 0;
    while (json[end - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return end;
  }
}

/** Names of a value and of all that is in it. */
function countKeys(value: unknown): number {
  let keys = 0;
  const left = [value];
  while (left.length > 0) {
    const item = left.pop();
    if (typeof item !== 'object' || item === null) continue;
    const members: unknown[] = Object.values(item);
    if (!Array.isArray(item)) keys += members.length;
    for (const member of members) if (typeof member === 'object') left.push(member);
  }
  return keys;
}
