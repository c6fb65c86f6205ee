import { spokenText } from '../../../llm/spokenText.ts';

/**
 * The answer in a language model's reply as plain lines: without what was thought aloud (see {@link spokenText}) and without comments,
 * and with other spellings of the same (full-width characters, LaTeX, Markdown, HTML) as ASCII. Text that stays is in its order. Time
 * is linear.
 */
export function answerText(reply: string): string {
  const text = withoutBetween(spokenText(inAscii(reply), holdsNumber), '<!--', '-->', 'rest');
  return withoutMarkup(withoutComments(withoutBetween(text, '/*', '*/', 'keep')));
}

function holdsNumber(text: string): boolean {
  return /\d/.test(text);
}

const CHARACTERS: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/\r\n?|[\u2028\u2029\u0085]/g, '\n'],
  // The private character is our own mark, see `LIST`.
  [/(?![\t\n])\p{Cc}|[\u200b-\u200f\u2060\ufeff\u00ad\ue000]/gu, ''],
  [/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, ' '],
  [/[\uff01-\uff5e]/g, (found) => String.fromCharCode(found.charCodeAt(0) - 0xfee0)],
  [/[٠-٩۰-۹०-९]/g, (found) => String((found.charCodeAt(0) - (found < '۰' ? 0x660 : found < '०' ? 0x6f0 : 0x966)) % 10)],
  [/٫/g, '.'],
  [/[،、﹐]/g, ','],
  [/؛/g, ';'],
  [/[−﹣]/g, '-'],
  [/…/g, '...'],
  [/。/g, '. '],
  [/[“”„«»]/g, '"'],
  [/[‘’‚]/g, "'"],
  [/[【〔「]/g, '['],
  [/[】〕」]/g, ']'],
  [/[⇒⟶➜➔➡]/g, '→'],
];

function inAscii(text: string): string {
  if (!/[^\t\n\x20-\x7e]/.test(text)) return text;
  return CHARACTERS.reduce(
    (now, [from, to]) => (typeof to === 'string' ? now.replace(from, to) : now.replace(from, to)),
    text,
  );
}

/** @param unclosed what becomes of the text after an opening that is never closed */
function withoutBetween(text: string, open: string, close: string, unclosed: 'rest' | 'keep'): string {
  let kept = '';
  let from = 0;
  for (let begin = text.indexOf(open); begin !== -1; begin = text.indexOf(open, from)) {
    const end = text.indexOf(close, begin + open.length);
    if (end === -1) return kept + (unclosed === 'rest' ? text.slice(from, begin) : text.slice(from));
    kept += `${text.slice(from, begin)} `;
    from = end + close.length;
  }
  return kept + text.slice(from);
}

/**
 * A comment's numbers are no answer; its words still say what the list beside or below it is (`# draft`). So one beside a list becomes
 * a note in round brackets, and one with a line of its own a heading. Outside of code a `#` is a comment only where it cannot be a
 * heading or the sign of a number.
 */
function withoutComments(text: string): string {
  let fence = '';
  let depth = 0;
  const lines = text.split('\n').map((line) => {
    const mark = FENCE.exec(line);
    if (mark && !line.slice(mark[0].length).includes('```')) {
      fence = fence === '' ? mark[1]! : '';
      depth = 0;
      return '';
    }
    if (line.trim() === '' && fence === '') depth = 0;
    const at = commentIn(line, fence !== '', depth);
    const said = at === -1 ? line : line.slice(0, at);
    depth = depthAfter(said, depth);
    if (at === -1) return line;
    const words = line.slice(at).replace(NO_WORDS, ' ').slice(0, LONGEST_NOTE).trim();
    if (said.trim() !== '') return words === '' ? said : `${said} (${words})`;
    // A list that is commented out says nothing about the next one.
    return NUMBERS.test(line) || depth > 0 ? '' : `## ${words}`;
  });
  return lines.join('\n');
}

const FENCE = /^[ \t>]{0,40}(?:[-*]|\d{1,3}[.)])?[ \t]{0,8}(```|~~~)`{0,8}/;
const NO_WORDS = /[^\p{L}'❌✗✘-]+/gu;
const NUMBERS = /\d[^\d\n]{1,4}\d*\.\d|\[[^\]]*\d/;
const LONGEST_NOTE = 80;

/** Where a comment begins in a line; -1 where none does. @param depth of square brackets before it */
function commentIn(line: string, isCode: boolean, depth: number): number {
  const inText = positionOf(COMMENT_IN_TEXT.exec(line));
  const inCode = positionOf(COMMENT_IN_CODE.exec(line));
  if (inCode === -1) return inText;
  return isCode || depthAfter(line.slice(0, inCode), depth) > 0 ? inCode : inText;
}

function positionOf(found: RegExpExecArray | null): number {
  return found ? found.index + found.slice(1).join('').length : -1;
}

function depthAfter(line: string, depth: number): number {
  return Math.max(0, depth + count(line, '[') - count(line, ']'));
}

const COMMENT_IN_CODE = /(^|[\s,;\d[\])}])(?:#|\/\/)/;
const COMMENT_IN_TEXT = /(^|[\s,;\d\])}])\/\/|([\d\],]\s{1,9})#\s|^(\s{0,3})#\s(?=.*(?:\d[^\d]{1,4}\d*\.\d|\[.*\d))/;

function count(line: string, character: string): number {
  return line.split(character).length - 1;
}

/** In this order. None makes two numbers one. */
const MARKUP: readonly (readonly [RegExp, string])[] = [
  [/<\/?(?:tr|li|p|br|div|ul|ol|table|thead|tbody|h[1-6]|hr)\b[^<>\n]{0,200}>/gi, '\n'],
  [/<\/t[dh]>/gi, ' | '],
  [/<summary>/gi, '\n## '],
  [/<\/(?:summary|details)>/gi, '\n## \n'],
  [
    /<\/?(?:b|i|u|s|a|em|strong|code|pre|kbd|span|font|sub|sup|small|mark|tr|td|th|tbody|thead|math|m[a-z])\b[^<>\n]{0,200}>/gi,
    ' ',
  ],
  // Whoever makes up tags names with them what is in them.
  [/<\/[a-z][^<>\n]{0,200}>/gi, '\n## \n'],
  [/<([a-z][^<>\n]{0,200})>/gi, '\n## $1\n'],
  [/&nbsp;|&emsp;|&ensp;/gi, ' '],
  [/&quot;|\\"/gi, '"'],
  [/&#3[49];/g, '"'],
  [/\\n(?![a-z])/g, '\n'],
  [/\\\\/g, '\n'],
  [/\\begin\{[a-zA-Z*]{1,20}\}(?:\{[a-z|]{1,20}\})?/g, '['],
  [/\\end\{[a-zA-Z*]{1,20}\}/g, ']'],
  [/\\(?:left|right|[bB]igg?[lr]?)(?![a-zA-Z])/g, ''],
  [/\\(?:l|c|v)?dots(?![a-zA-Z])/g, '...'],
  [/\\(?:rightarrow|to|Rightarrow)(?![a-zA-Z])/g, '→'],
  [/\\(?:times|cdot)(?![a-zA-Z])/g, '*'],
  [/\\(?:text|mathbf|mathrm|mathit|textbf|mathtt|texttt|operatorname)(?![a-zA-Z])/g, ' '],
  [/\\(?:quad|qquad|displaystyle)(?![a-zA-Z])|\\[,;:! ]/g, ' '],
  [/\\[()]|\$\$?/g, ' '],
  [/\\(?=[[\]{}_%#&])/g, ''],
  [/_\{(\d{1,4})\}/g, '_$1'],
  [/`+/g, ' '],
  [/(?<!\d)\*\*|\*\*(?!\d)/g, ' '],
  [/(?<![\d*])\*([\d.]+)\*(?![\d*])/g, ' $1 '],
  // Lists of objects, one for each block, and lists that are written as strings.
  [
    /\{\s{0,99}"?(?:block|layer|index|idx|id|i)[a-z_]{0,12}"?\s{0,9}[:=]\s{0,9}"?(\d{1,4})"?\s{0,99},\s{0,99}"?[a-z_]{1,24}"?\s{0,9}[:=]\s{0,9}"?([\d.]{1,50})"?\s{0,99}\}/gi,
    'block $1: $2',
  ],
  [/"([ \t]{0,9}[-+.\d][-+.\d%eE \t]{0,50}[,; ][-+.\d%eE,; \t]*)"/g, '[$1]'],
  [/'([ \t]{0,9}[-+.\d][-+.\d%eE \t]{0,50}[,; ][-+.\d%eE,; \t]*)'/g, '[$1]'],
];

function withoutMarkup(text: string): string {
  return MARKUP.reduce((now, [from, to]) => now.replace(from, to), text);
}
