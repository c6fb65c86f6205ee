import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';

interface Range {
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * The fields of one JSON object of config.json, read with their types and ranges checked. A field that is absent or null
 * takes its default; one without a default is required. Every complaint names the field, its value and the file.
 */
export class ConfigFields {
  readonly file: string;
  private readonly values: Readonly<Record<string, unknown>>;
  /** Name of the object that holds the fields, for messages: `rope_scaling.` or nothing. */
  private readonly prefix: string;

  constructor(file: string, values: Readonly<Record<string, unknown>>, prefix = '') {
    this.file = file;
    this.values = values;
    this.prefix = prefix;
  }

  get names(): string[] {
    return Object.keys(this.values);
  }

  /** Undefined when the field is absent or null. */
  value(name: string): unknown {
    return this.isStated(name) ? (this.values[name] ?? undefined) : undefined;
  }

  /** Whether the file has the field at all, be it null: some fields have a default that only null switches off. */
  isStated(name: string): boolean {
    return Object.hasOwn(this.values, name);
  }

  /** The same with other values for fields that the file does not have at all. */
  withDefaults(defaults: Readonly<Record<string, unknown>>): ConfigFields {
    return new ConfigFields(this.file, { ...defaults, ...this.values }, this.prefix);
  }

  /**
   * Which of several names of one field the file has; the first where it has none.
   *
   * @throws EspalierError `checkpoint/config` where it has two that contradict each other
   */
  spelling(...names: readonly [string, ...string[]]): string {
    const stated = names.filter((name) => this.value(name) !== undefined);
    const [first = names[0]] = stated;
    const other = stated.find((name) => this.values[name] !== this.values[first]);
    if (other !== undefined) throw this.wrong(other, `${show(this.values, first)}, as ${first} has it`);
    return first;
  }

  integer(name: string, range: Range, fallback?: number): number {
    const expected = `an integer from ${range.minimum} to ${range.maximum}`;
    const value = this.value(name) ?? fallback;
    if (!Number.isSafeInteger(value) || !inRange(value as number, range)) throw this.wrong(name, expected);
    return value as number;
  }

  number(name: string, range: Range, fallback?: number): number {
    const value = this.value(name) ?? fallback;
    if (typeof value !== 'number' || !inRange(value, range)) {
      throw this.wrong(name, `a number from ${range.minimum} to ${range.maximum}`);
    }
    return value;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.value(name) ?? fallback;
    if (typeof value !== 'boolean') throw this.wrong(name, 'true or false');
    return value;
  }

  /** What `table` holds for the text in the field. */
  choice<Value>(name: string, table: Readonly<Record<string, Value>>, fallback?: string): Value {
    const value = this.value(name) ?? fallback;
    if (typeof value !== 'string' || !Object.hasOwn(table, value)) {
      throw this.wrong(name, `one of ${Object.keys(table).join(', ')}`);
    }
    return table[value]!;
  }

  numbers(name: string, length: number, range: Range): readonly number[] {
    const value = this.value(name);
    const isList = Array.isArray(value) && value.length === length;
    if (!isList || !value.every((item) => typeof item === 'number' && inRange(item, range))) {
      throw this.wrong(name, `a list of ${length} numbers from ${range.minimum} to ${range.maximum}`);
    }
    return value as readonly number[];
  }

  /** The fields of an object inside this one, or undefined when there is none. */
  object(name: string): ConfigFields | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) throw this.wrong(name, 'an object');
    return new ConfigFields(this.file, value as Readonly<Record<string, unknown>>, `${this.prefix}${name}.`);
  }

  /** The fields of the object at `index` of a list. */
  item(name: string, index: number): ConfigFields {
    const value: unknown = (this.value(name) as readonly unknown[])[index];
    const where = `${this.prefix}${name}[${index}]`;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ConfigFields(this.file, { [where]: value }).wrong(where, 'an object');
    }
    return new ConfigFields(this.file, value as Readonly<Record<string, unknown>>, `${where}.`);
  }

  wrong(name: string, expected: string, remedy?: string): EspalierError {
    return new EspalierError({
      code: 'checkpoint/config',
      operation: `reading ${this.file}`,
      expected: `${this.prefix}${name} to be ${expected}`,
      actual: show(this.values, name),
      remedy: remedy ?? `Restore the original ${path.basename(this.file)} of the checkpoint.`,
      file: this.file,
    });
  }
}

/** False for NaN, too. */
function inRange(value: number, { minimum, maximum }: Range): boolean {
  return value >= minimum && value <= maximum;
}

function show(values: Readonly<Record<string, unknown>>, name: string): string {
  if (!Object.hasOwn(values, name)) return 'no such field';
  const text = JSON.stringify(values[name]);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
