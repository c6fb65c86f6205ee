import { LONGEST_ROW, rowTooLong } from './corpusError.ts';

/** Whether only a line feed ends a line, or a carriage return, too, alone or before it, and counts as one: as in Python's text files. */
export type LineEnds = 'line-feed' | 'universal';

/** The lines of a text, each with the line feed that ends it, many at a time. @throws EspalierError `evaluation/too-large` */
export async function* textLines(
  texts: AsyncIterable<string>,
  ends: LineEnds,
  file: string,
): AsyncGenerator<readonly string[]> {
  let count = 0;
  let rest: string[] = [];
  let restLength = 0;
  for await (const text of ends === 'universal' ? universal(texts) : texts) {
    const lines = splitLines(text);
    const open = text.endsWith('\n') ? '' : lines.pop()!;
    if (lines.length > 0) {
      lines[0] = rest.join('') + lines[0]!;
      rest = [];
      restLength = 0;
      yield lines;
      count += lines.length;
    }
    if (open !== '') rest.push(open);
    restLength += open.length;
    if (restLength > LONGEST_ROW) throw rowTooLong(file, count + 1);
  }
  if (rest.length > 0) yield [rest.join('')];
}

function splitLines(text: string): string[] {
  const lines: string[] = [];
  for (let begin = 0; begin < text.length;) {
    const end = text.indexOf('\n', begin) + 1 || text.length;
    lines.push(text.slice(begin, end));
    begin = end;
  }
  return lines;
}

/** Carriage returns, alone or before a line feed, as line feeds. */
async function* universal(texts: AsyncIterable<string>): AsyncGenerator<string> {
  // A line feed may begin the next portion.
  let pending = '';
  for await (const text of texts) {
    const all = pending + text;
    pending = all.endsWith('\r') ? '\r' : '';
    const ready = pending === '' ? all : all.slice(0, -1);
    if (ready !== '') yield ready.includes('\r') ? ready.replaceAll(/\r\n?/g, '\n') : ready;
  }
  if (pending !== '') yield '\n';
}
