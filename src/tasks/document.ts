import { EspalierError } from '../base/errors.ts';
import type { ErrorCode } from '../base/errors.ts';

/** A document of a task: one row of its file. */
export interface Document {
  /** As errors name it. */
  readonly file: string;
  /** Place in the file, counted from 0. */
  readonly row: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Longest text of a field, in UTF-16 units: more is no question. */
export const LONGEST_FIELD = 2 ** 20;
/** Most choices of a document; the letters of a test go to Z. */
export const MOST_CHOICES = 1024;

export function documentError(
  { file, row }: Pick<Document, 'file' | 'row'>,
  expected: string,
  actual: string,
  remedy: string,
  code: ErrorCode = 'tasks/document',
): EspalierError {
  const operation = `reading document ${row + 1} of ${file}`;
  return new EspalierError({ code, operation, expected, actual, remedy, file });
}

/** What a field holds; `a.b` is a field of that name, or else b of a. Undefined where there is none. */
export function fieldOf({ fields }: Pick<Document, 'fields'>, name: string): unknown {
  if (Object.hasOwn(fields, name)) return fields[name];
  let value: unknown = fields;
  for (const part of name.split('.')) {
    if (!isRecord(value) || !Object.hasOwn(value, part)) return undefined;
    value = value[part];
  }
  return value;
}

/** The first of these fields that is there, for an error the first. */
export function presentField(document: Document, names: readonly string[]): string {
  return names.find((name) => fieldOf(document, name) !== undefined) ?? names[0]!;
}

/** @throws EspalierError `tasks/document`, `tasks/too-large` */
export function textField(document: Document, name: string): string {
  return checkedText(document, name, fieldOf(document, name));
}

/** A list of texts, one at least. @throws EspalierError as {@link textField} */
export function textsField(document: Document, name: string): readonly string[] {
  return checkedTexts(document, name, fieldOf(document, name));
}

/** @param name of the field that holds it, for errors */
export function checkedTexts(document: Document, name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw wrongField(document, name, 'a list of texts', value);
  if (value.length === 0) throw wrongField(document, name, 'a list of texts', value, 'an empty list');
  if (value.length > MOST_CHOICES) throw tooMany(document, name, value.length);
  return value.map((item: unknown, i) => checkedText(document, `${name}[${i}]`, item));
}

export function checkedText(document: Document, name: string, value: unknown): string {
  if (typeof value !== 'string') throw wrongField(document, name, 'a text', value);
  if (value.length > LONGEST_FIELD) {
    const expected = `at most ${LONGEST_FIELD} characters in ${quoted(name)}`;
    const remedy = 'Leave the document out: no model reads so long a question.';
    throw documentError(document, expected, `${value.length}`, remedy, 'tasks/too-large');
  }
  // Python's tokenizers refuse such a text; ours would take another character in its place.
  if (!value.isWellFormed()) throw wrongField(document, name, 'Unicode text', value, 'half of a surrogate pair in it');
  return value;
}

/** @param actual behind "got", where the value's kind does not say it */
export function wrongField(
  document: Document,
  name: string,
  expected: string,
  value: unknown,
  actual = value === undefined ? fieldsOf(document.fields) : kindOf(value),
): EspalierError {
  const remedy =
    value === undefined
      ? 'Choose a file whose documents have it (docs/tasks.md has the fields of each task), or correct what is said of a task of your own.'
      : 'Correct the document, or leave it out.';
  return documentError(document, `${expected} in ${quoted(name)}`, actual, remedy);
}

export function tooMany(document: Document, name: string, count: number): EspalierError {
  const expected = `at most ${MOST_CHOICES} choices in ${quoted(name)}`;
  return documentError(document, expected, `${count}`, 'Leave the document out.', 'tasks/too-large');
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A name or a short value, as an error shows it. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `the text ${quoted(value)}`;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return `the ${typeof value} ${value}`;
  return 'an object';
}

const MOST_NAMED = 12;

function fieldsOf(fields: Document['fields']): string {
  const names = Object.keys(fields);
  if (names.length === 0) return 'no fields';
  const more = names.length > MOST_NAMED ? `, and ${names.length - MOST_NAMED} more` : '';
  return `the fields ${names.slice(0, MOST_NAMED).map(quoted).join(', ')}${more}`;
}

/** As Python's `==` of the fields: `True` is 1, and the order of names does not count. */
export function sameFields(a: Document, b: Document): boolean {
  return isEqual(a.fields, b.fields);
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => isEqual(item, b[i]));
  if (isRecord(a) && isRecord(b)) {
    const names = Object.keys(a);
    if (names.length !== Object.keys(b).length) return false;
    return names.every((name) => Object.hasOwn(b, name) && isEqual(a[name], b[name]));
  }
  return plain(a) === plain(b);
}

function plain(value: unknown): unknown {
  return typeof value === 'boolean' ? Number(value) : value;
}
