import { parseBoundedJson } from '../../../base/boundedJson.ts';
import { isOperandName, OPERAND_NAMES } from '../../../metric/operands.ts';
import { OPERATION_NAMES } from '../../../metric/operations.ts';
import { spokenText } from '../../llm/spokenText.ts';

/** What stands in a reply where formulas were asked for. */
export interface ReplyFormulas {
  /** In the order of the reply, as they are written there. Whether the language can read them is another question. */
  readonly formulas: readonly string[];
  /** Lines beyond {@link MAX_FORMULAS} that look like more. */
  readonly unread: number;
}

/**
 * The formulas of a language model's reply, one a line or a member of a JSON list. The reply is data from outside: time is linear in its
 * length, and nothing is read of one that is longer than {@link MAX_REPLY_LENGTH}.
 *
 * Taken off is what a list is written with: thoughts before the answer, code fences, bullets and numbers, quotes and back-ticks, a label
 * before a colon or an equals sign, an explanation behind a dash, a colon or the sign of a comment, `return`, and the characters `×`, `·`,
 * `−` and `**` that stand for operators. Prose, in which two words follow one another, is none. Everything else that names an operand or an
 * operation is taken for a formula as it stands, so that a person sees why a spelling of another language (`|W|`, `W.abs()`, LaTeX) was
 * rejected: what can be meant in two ways is not guessed at.
 */
export function replyFormulas(reply: string): ReplyFormulas {
  if (reply.length > MAX_REPLY_LENGTH) return { formulas: [], unread: 0 };
  const spoken = spokenText(reply, namesSomething);
  const lines = jsonFormulas(spoken) ?? spoken.split(/\r\n?|[\n\u2028\u2029]/);
  const formulas: string[] = [];
  let unread = 0;
  for (const line of lines) {
    const formula = line.length > MAX_LINE ? longLine(line) : formulaIn(line);
    if (formula === undefined) continue;
    if (formulas.length < MAX_FORMULAS) formulas.push(formula);
    else unread++;
  }
  return { formulas, unread };
}

/** UTF-16 units: a hundred times what fifty formulas of the largest size take. */
export const MAX_REPLY_LENGTH = 1 << 20;
export const MAX_FORMULAS = 500;
/** UTF-16 units of a line: the largest formula of 500 nodes fits. A longer one is one proposal, which the language refuses. */
export const MAX_LINE = 8000;

function longLine(line: string): string | undefined {
  return namesSomething(line.slice(0, MAX_LINE)) ? line.slice(0, MAX_LINE + 1) : undefined;
}

/** The first part of a line that can be a formula; what stands before it is a label, behind it an explanation. */
function formulaIn(line: string): string | undefined {
  const text = inAscii(line)
    .replace(LIST_MARK, '')
    .replaceAll(/[`"“”]/g, ' ')
    .replace(/^\s*return\b/, ' ');
  const cells = /^\s*\|\s.*\s\|\s*$/.test(text) ? text.split('|') : [text];
  const parts = cells.flatMap((cell) => cell.split(SEPARATOR)).map(withoutEnds);
  const found = parts.find((part) => namesSomething(part) && !TWO_WORDS.test(part));
  // `W: the weight`, in a list of what the names stand for.
  const isLegend = found !== undefined && isOperandName(found) && parts.some((part) => TWO_WORDS.test(part));
  return isLegend ? undefined : found;
}

const CHARACTERS: readonly (readonly [RegExp, string])[] = [
  [/[\u200b-\u200f\u2060\ufeff\u00ad]/g, ''],
  [/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, ' '],
  [/[×·⋅∙∗]/g, '*'],
  [/[−﹣]/g, '-'],
  [/÷/g, '/'],
  [/²/g, '^2'],
  // A power stands between what is raised and a number; other stars in pairs are Markdown's.
  [/(?<=[\w)]\s{0,3})\*\*(?=\s{0,3}[\d(.-])/g, '^'],
  [/\*\*/g, ' '],
];

function inAscii(line: string): string {
  return CHARACTERS.reduce((text, [from, to]) => text.replace(from, to), line);
}

/** `1.`, `(2)`, `3:`, `-`, `*`, `>`, `#4`. A number that a formula begins with has an operator behind it. */
const LIST_MARK = /^\s{0,40}(?:[-*+•>]\s+|\(?#?\d{1,4}[.):](?!\d)\s*){0,9}/;

/** What stands between label, formula and explanation. A dash between words is none of an operator. */
const SEPARATOR = /#|\/\/|;|--|[—–]|:=?|={1,2}|=>|→|->|\s-\s+(?=[A-Za-z]{2,40}\s+[A-Za-z])/;

/** Two names with nothing but blanks between them, neither of them LaTeX's: no formula has that. */
const TWO_WORDS = /(?<![\\A-Za-z_])[A-Za-z_]+\s+[A-Za-z_]/;

/** Behind an operand or a closed parenthesis: `W * X (Wanda, squared)`. */
const NOTE = new RegExp(`(?<=\\)|(?<![A-Za-z])(?:${OPERAND_NAMES.join('|')}))\\s{1,9}\\([^()]{0,200}\\)\\s*$`);

function withoutEnds(part: string): string {
  let text = part
    .replace(NOTE, '')
    .trim()
    .replace(/[.,]+$/, '')
    .trim();
  // A whole formula in quotes or dollars, not one that has some inside.
  while (text.length > 1 && /^['$]/.test(text) && text.endsWith(text[0]!)) text = text.slice(1, -1).trim();
  return text;
}

const NAMES = new RegExp(
  `(?<![A-Za-z])(?:(?:${OPERAND_NAMES.join('|')})(?![A-Za-z])|(?:${OPERATION_NAMES.join('|')})\\s{0,9}\\()`,
);

/** Whether an operand stands in it, or an operation is called. */
function namesSomething(text: string): boolean {
  return NAMES.test(text);
}

/** The texts of a reply that is a JSON list, alone or in a code fence or a field of an object; undefined for every other reply. */
function jsonFormulas(spoken: string): readonly string[] | undefined {
  const text = spoken
    .replace(/^\s*(?:```|~~~)\w{0,20}/, '')
    .replace(/(?:```|~~~)\s*$/, '')
    .trim();
  if (!/^[[{]/.test(text)) return undefined;
  let value: unknown;
  try {
    value = parseBoundedJson(text);
  } catch {
    return undefined;
  }
  const list = Array.isArray(value) ? value : fieldsOf(value).find(Array.isArray);
  if (!Array.isArray(list)) return undefined;
  return list.map((one: unknown) =>
    typeof one === 'string'
      ? one
      : ((fieldsOf(one).find((field) => typeof field === 'string' && namesSomething(field)) as string | undefined) ??
        ''),
  );
}

function fieldsOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}
