/**
 * The documentation of a declaration: the lines that begin with `///` directly above it, slashes removed. It is text: a file that
 * one only looks at shows no picture from elsewhere. Empty where there is none.
 * @param start where the declaration begins
 */
export function docComment(text: string, start: number): string {
  const lines: string[] = [];
  let end = lineStart(text, start);
  if (text.slice(end, start).trim() !== '') return '';
  while (end > 0) {
    const begin = lineStart(text, end - 1);
    const match = DOC_LINE.exec(text.slice(begin, end));
    if (!match) break;
    lines.unshift(match[1]!);
    end = begin;
  }
  return lines.join('\n');
}

const DOC_LINE = /^[ \t]*\/\/\/[ \t]?([^\n\r]*?)[ \t]*(?:\r\n|\n|\r)?$/;

/** Where the line begins that an offset is on. */
function lineStart(text: string, offset: number): number {
  let i = offset;
  if (i > 0 && text[i] === '\n' && text[i - 1] === '\r') i--;
  while (i > 0 && text[i - 1] !== '\n' && text[i - 1] !== '\r') i--;
  return i;
}
