import type * as z from 'zod';

/** Why a value is not as its schema has it, for a sentence `expected …, got …`. */
export interface SchemaProblem {
  /** Path of the value at fault, `a.b.0`; empty for the value as a whole. */
  readonly where: string;
  readonly expected: string;
  /** What was there, shortened. */
  readonly actual: string;
}

/** The first thing that is wrong, in words: what a schema's own message says is for who wrote the schema. */
export function schemaProblem({ issues }: z.ZodError, value: unknown): SchemaProblem {
  const issue = mostSpecific(issues[0]!);
  return {
    where: issue.path.map(String).join('.'),
    expected: expectedBy(issue),
    actual: issue.code === 'unrecognized_keys' ? listOf(issue.keys.slice(0, 5)) : show(valueAt(value, issue.path)),
  };
}

/**
 * The same as one phrase, behind "got" or as a reason: `"x" in a.b instead of a number`.
 *
 * @param under where the value itself stands in what a person sees
 */
export function schemaReason(error: z.ZodError, value: unknown, under: readonly string[] = []): string {
  const { where, expected, actual } = schemaProblem(error, value);
  const place = [...under, ...(where === '' ? [] : [where])].join('.');
  return `${actual}${place === '' ? '' : ` in ${place}`} instead of ${expected}`;
}

type Issue = z.core.$ZodIssue;

/** Of a value that fits none of several forms, the form that it comes nearest to: where it went wrong deepest. */
function mostSpecific(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const branches = issue.errors.map(([first]) => first).filter((first) => first !== undefined);
  const deepest = branches.reduce<Issue | undefined>(
    (best, branch) => (branch.path.length > (best?.path.length ?? 0) ? branch : best),
    undefined,
  );
  return deepest ? mostSpecific({ ...deepest, path: [...issue.path, ...deepest.path] }) : issue;
}

function expectedBy(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? 'another kind of value';
    case 'invalid_value':
      return oneOf(issue.values);
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${UNITS[issue.origin] ?? ''}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${UNITS[issue.origin] ?? ''}`;
    case 'unrecognized_keys':
      return 'only fields that are known here';
    case 'invalid_union':
      return 'options' in issue ? oneOf(issue.options) : alternatives(issue);
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'custom':
    case 'invalid_format':
      // Our schemas say in words what they want; without words the library says that something is invalid.
      return issue.message.startsWith('Invalid') ? 'a text of another form' : issue.message.replace(/^expected /, '');
    case 'invalid_key':
    case 'invalid_element':
      return 'a value of another form';
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  tuple: 'a list',
  null: 'null',
  undefined: 'nothing',
  never: 'nothing',
  nonoptional: 'there',
};

const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' items', set: ' items' };

function alternatives({ errors }: Extract<Issue, { code: 'invalid_union' }>): string {
  const each = errors.map(([first]) => (first ? expectedBy(mostSpecific(first)) : 'another value'));
  return [...new Set(each)].join(', or ');
}

function oneOf(values: readonly unknown[]): string {
  const shown = values.map((value) => (typeof value === 'string' ? value : String(value)));
  return shown.length === 1 ? shown[0]! : `one of ${listOf(shown)}`;
}

function listOf(names: readonly string[]): string {
  return names.map((name) => shorten(name)).join(', ');
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return shorten(JSON.stringify(value));
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
