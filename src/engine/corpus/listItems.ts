import { damaged, LONGEST_ROW, rowTooLong } from './corpusError.ts';

/** Cuts a list of JSON that comes in portions into its items, so that a large one is never whole in memory. */
export class ListItems {
  private readonly file: string;
  /** What may come next. */
  private state: 'open' | 'first' | 'item' | 'in-item' | 'comma' | 'after' = 'open';
  private depth = 0;
  private inString = false;
  private isEscaped = false;
  /** Parts of an item that began in earlier portions. */
  private parts: string[] = [];
  private length = 0;
  private count = 0;

  constructor(file: string) {
    this.file = file;
  }

  /** The items that end in this portion, as they are written. @throws EspalierError `corpus/damaged`, `evaluation/too-large` */
  push(text: string): string[] {
    const items: string[] = [];
    let begin = 0;
    for (let at = 0; at < text.length; at++) {
      if (this.inString && !this.isEscaped) at = nextInString(text, at);
      if (at === text.length) break;
      const letter = text[at]!;
      if (this.state !== 'in-item') {
        if (!this.between(letter)) continue;
        begin = at;
      } else if (!this.inString && this.depth === 0 && ENDS.includes(letter)) {
        items.push(this.take(text.slice(begin, at)));
        this.state = 'comma';
        this.between(letter);
        continue;
      }
      this.inside(letter);
    }
    if (this.state === 'in-item') this.keep(text.slice(begin));
    return items;
  }

  /** Called behind the last portion. @throws EspalierError `corpus/damaged` where the list is not closed */
  end(): void {
    if (this.state !== 'after') throw damaged(this.file, 'JSON', `its end in row ${this.count + 1}`);
  }

  /** Whether an item begins. */
  private between(letter: string): boolean {
    if (BLANKS.includes(letter)) return false;
    const { state } = this;
    if (state === 'open' && letter === '[') this.state = 'first';
    else if (state === 'comma' && letter === ',') this.state = 'item';
    else if ((state === 'comma' || state === 'first') && letter === ']') this.state = 'after';
    else if ((state === 'item' || state === 'first') && !ENDS.includes(letter)) {
      this.state = 'in-item';
      return true;
    } else throw damaged(this.file, 'JSON', `${JSON.stringify(letter)} behind row ${this.count}`);
    return false;
  }

  private inside(letter: string): void {
    if (this.isEscaped) this.isEscaped = false;
    else if (this.inString) {
      if (letter === '"') this.inString = false;
      else if (letter === '\\') this.isEscaped = true;
    } else if (letter === '"') this.inString = true;
    else if (letter === '{' || letter === '[') this.depth++;
    else if ((letter === '}' || letter === ']') && --this.depth < 0)
      throw damaged(this.file, 'JSON', `a bracket too many in row ${this.count + 1}`);
  }

  private take(end: string): string {
    this.keep(end);
    const item = this.parts.join('');
    this.parts = [];
    this.length = 0;
    this.count++;
    return item;
  }

  private keep(part: string): void {
    this.parts.push(part);
    this.length += part.length;
    if (this.length > LONGEST_ROW) throw rowTooLong(this.file, this.count + 1);
  }
}

/** Where the next quote or backslash stands, or the end. */
function nextInString(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE || code === BACKSLASH) break;
  }
  return at;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const BLANKS = ' \t\r\n';
/** What ends an item that is no string and in no brackets: white space, too, behind which only a comma may come. */
const ENDS = `,]${BLANKS}`;
