import { corpusError } from './corpusError.ts';

/**
 * Takes the text of rows that are objects or texts. Without a name it is the field `text`, or the only field of the first row that has
 * a text in it; every row has to have it.
 */
export class FieldReader {
  private readonly file: string;
  private field: string | undefined;

  /** @param field its name, `a.b` inside of another; '' for none */
  constructor(file: string, field: string) {
    this.file = file;
    this.field = field === '' ? undefined : field;
  }

  /**
   * @param row counted from 1
   * @throws EspalierError `corpus/field` where no field is the text's, `corpus/row` for a row without a text in it
   */
  text(value: unknown, row: number): string {
    if (typeof value === 'string' && this.field === undefined) return value;
    if (!isObject(value))
      throw this.wrongRow(row, this.field === undefined ? 'a text or an object' : 'an object', value);
    this.field ??= this.onlyField(value);
    const found = fieldOf(value, this.field);
    if (typeof found === 'string') return found;
    throw found === undefined
      ? this.missing(value, row, this.field)
      : this.wrongRow(row, `a text in its field ${quoted(this.field)}`, found);
  }

  private onlyField(row: object): string {
    if (Object.hasOwn(row, 'text')) return 'text';
    const texts = Object.entries(row).filter(([, value]) => typeof value === 'string');
    if (texts.length === 1) return texts[0]![0];
    const actual = texts.length === 0 ? `none in ${fieldsOf(row)}` : `several: ${listed(texts.map(([name]) => name))}`;
    throw corpusError(
      'corpus/field',
      this.file,
      'a field `text`, or only one with a text in it',
      actual,
      'Name the one that holds the text of a row: `field`.',
    );
  }

  private missing(value: object, row: number, field: string): Error {
    return corpusError(
      row === 1 ? 'corpus/field' : 'corpus/row',
      this.file,
      `a field ${quoted(field)} in row ${row}`,
      fieldsOf(value),
      row === 1 ? 'Name a field that is there.' : 'Leave the row out, or give it the field.',
    );
  }

  private wrongRow(row: number, expected: string, actual: unknown): Error {
    return corpusError(
      'corpus/row',
      this.file,
      `${expected} (row ${row})`,
      kindOf(actual),
      'Name a field that holds texts, or leave the row out.',
    );
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `a.b` is a field of that name, or else b of a. */
function fieldOf(row: Readonly<Record<string, unknown>>, field: string): unknown {
  if (Object.hasOwn(row, field)) return row[field];
  let value: unknown = row;
  for (const name of field.split('.')) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

function fieldsOf(row: object): string {
  const fields = Object.entries(row).map(([name, value]) => `${quoted(name)} (${kindOf(value).replace(/^an? /, '')})`);
  return fields.length === 0 ? 'no fields' : `the fields ${shortened(fields)}`;
}

/** Names of fields, for an error. */
export function listed(names: readonly string[]): string {
  return shortened(names.map(quoted));
}

function shortened(items: readonly string[]): string {
  return (
    items.slice(0, MOST_NAMED).join(', ') + (items.length > MOST_NAMED ? `, and ${items.length - MOST_NAMED} more` : '')
  );
}

const MOST_NAMED = 12;

export function quoted(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}
