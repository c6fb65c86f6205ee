/** A line that holds numbers, and a label and a note at most. */
export interface NumbersOfLine {
  /** What stands before the numbers, with the colon or whatever ends it; empty where nothing does. */
  readonly label: string;
  readonly body: string;
  /** What stands behind them: a comma or another sign, a note. */
  readonly after: string;
  /** Of a numbered list (`3. …`). */
  readonly ordinal: number | undefined;
  readonly bullets: number;
}

/** Takes a line apart; undefined where it holds words that are neither label nor note, or no number. Time is linear. */
export function splitLine(line: string): NumbersOfLine | undefined {
  const bullet = BULLETS.exec(line)![0];
  const found = ORDINAL.exec(line.slice(bullet.length));
  const text = line
    .slice(bullet.length + (found?.[0].length ?? 0))
    .trimEnd()
    .replace(DASH_FOR_COLON, '$1: ');
  const end = endOfNumbers(text);
  if (end === undefined) return undefined;
  let begin = end;
  while (begin > 0 && IN_NUMBERS.test(text[begin - 1]!)) begin--;
  const label = text.slice(0, begin).trimEnd();
  if (label !== '' && !/[:=→>|]$/.test(label)) return undefined;
  return {
    ...{ label, body: text.slice(begin, end), after: text.slice(end) },
    ordinal: found && /\d/.test(found[0]) ? Number(found[1] ?? found[2]) : undefined,
    bullets: bullet.split(/[-*+•–]/).length - 1,
  };
}

const BULLETS = /^\s{0,200}(?:[-*+•–]\s{1,9}){0,9}/;
const ORDINAL = /^(?:\(?#?(\d{1,4}|[A-Za-z])[.)]\)?|#(\d{1,4}):?)\s{1,9}/;
/** `Block 3 - 0.3` */
const DASH_FOR_COLON = /^((?:[a-z][\w .#]{0,40}[\s_#])?\d{1,4}) [-–—] (?=\.?\d)/i;
const IN_NUMBERS = /[-+\d."'%eE,;&\s]/;

/** Where a note begins, or a sign that ends the line. */
function endOfNumbers(text: string): number | undefined {
  const note = /\)[\s.,;]*$/.test(text.slice(-9)) ? text.lastIndexOf('(') : -1;
  const said = note === -1 ? text : text.slice(0, note);
  let end = said.length;
  while (end > 0 && !/\d/.test(said[end - 1]!)) end--;
  if (end === 0) return undefined;
  // `0.` is a number, and a full stop at the end of a line is none of it.
  const sign = /^(?:\s?%)?["']?/.exec(said.slice(end))![0].length;
  const rest = said.slice(end + sign);
  return /^[.,;}\s]*$|^\s{0,9}(?:[-–—→]|->|=>|[,;])\s{0,9}\p{L}/u.test(rest) ? end + sign : undefined;
}
