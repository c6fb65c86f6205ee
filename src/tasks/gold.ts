import { documentError, fieldOf, quoted, wrongField } from './document.ts';
import type { Document } from './document.ts';

/**
 * What a label says, as it is written: a text without white space before it, or a whole number or truth value as a number.
 *
 * @throws EspalierError `tasks/unlabelled` where there is none, `tasks/document`
 */
export function labelField(document: Document, name: string): string | number {
  const value = fieldOf(document, name);
  if (value === undefined || value === null || value === '' || value === -1 || value === '-1')
    throw unlabelled(document, name, value);
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw wrongField(document, name, 'a label', value);
}

/** Place of the right choice: of `choices`, written as a number, or as one of the words. @throws EspalierError as {@link labelField} */
export function goldPlace(
  document: Document,
  name: string,
  choices: number,
  words: Readonly<Record<string, number>> = {},
): number {
  const label = labelField(document, name);
  const place = typeof label === 'number' ? label : Object.hasOwn(words, label) ? words[label]! : numberOf(label);
  if (place !== undefined && place >= 0 && place < choices) return place;
  const spelled = Object.keys(words);
  const expected = `a number from 0 to ${choices - 1}${spelled.length > 0 ? `, or one of ${spelled.join(', ')},` : ''}`;
  throw wrongField(document, name, expected, label);
}

/** Place of a label among those of the choices. @throws EspalierError as {@link labelField} */
export function goldAmong(document: Document, name: string, labels: readonly string[], label: string): number {
  const place = labels.indexOf(label);
  if (place >= 0) return place;
  throw wrongField(document, name, `one of the labels ${labels.slice(0, 12).map(quoted).join(', ')}`, label);
}

/** A whole number as it is written, without signs and zeros before it. */
export function numberOf(text: string): number | undefined {
  return /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : undefined;
}

function unlabelled(document: Document, name: string, value: unknown): Error {
  return documentError(
    document,
    `the right choice in ${quoted(name)}`,
    value === undefined ? 'no such field' : `${JSON.stringify(value)}, which stands for none`,
    'Choose a split that has labels: the test splits of several data sets have none. PIQA keeps them in a file of their own, valid-labels.lst beside valid.jsonl.',
    'tasks/unlabelled',
  );
}
