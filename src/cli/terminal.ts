import { randomUUID } from 'node:crypto';
import { printable } from '../base/printable.ts';

/**
 * Where the command line writes, and how much of a terminal that is. All of it passes here, and is made {@link printable}: names, paths,
 * formulas and errors come from other people's files. Styles alone reach the terminal as they are.
 */
export interface Terminal {
  /** One line of the result, or several, on standard output. */
  print(line: string | readonly string[]): void;
  /** Part of a text, as it comes, on standard output: lines end where it says so. */
  write(text: string): void;
  /** One line for the person, on standard error: warnings, failures. */
  say(line: string): void;
  /** Replaces the status line at the bottom of standard error; empty removes it. Does nothing where that is no terminal. */
  status(line: string): void;
  /** Width for the status line; 0 where there is none. */
  readonly statusWidth: number;
  /** Styles for standard output and standard error: plain text where colour is not wanted. */
  readonly out: Style;
  readonly err: Style;
}

export type Style = Readonly<Record<'bold' | 'dim' | 'red' | 'yellow' | 'cyan', (text: string) => string>>;

/** The part of a Node stream that matters here. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export function createTerminal(stdout: OutputStream, stderr: OutputStream, environment: Environment): Terminal {
  const isTerminal = stderr.isTTY === true && environment['TERM'] !== 'dumb';
  // A terminal that does not know its size says 0.
  const columns = stderr.columns ?? 0;
  const statusWidth = isTerminal ? (columns > 0 ? columns : 80) : 0;
  const styles = new Styles();
  let shown = false;
  const clear = () => {
    if (shown) stderr.write(`\r${ERASE_LINE}`);
    shown = false;
  };
  return {
    print(line) {
      clear();
      const lines = typeof line === 'string' ? [line] : line;
      stdout.write(lines.map((one) => `${styles.clean(one)}\n`).join(''));
    },
    write(text) {
      if (text === '') return;
      clear();
      // Line by line: what follows a line feed is the text's own, and no message that wants an indent.
      stdout.write(
        text
          .split('\n')
          .map((line) => styles.clean(line))
          .join('\n'),
      );
    },
    say(line) {
      clear();
      stderr.write(`${styles.clean(line)}\n`);
    },
    status(line) {
      if (statusWidth === 0) return;
      clear();
      if (line === '') return;
      // One column stays free: a full line would wrap, and the next one could not erase it.
      stderr.write(printable(line.split('\n', 1)[0]!).slice(0, statusWidth - 1));
      shown = true;
    },
    statusWidth,
    out: styles.of(wantsColour(stdout, environment)),
    err: styles.of(wantsColour(stderr, environment)),
  };
}

const ERASE_LINE = '\u001b[2K';

/** https://no-color.org: set and not empty means no colour, whatever the terminal can do. */
function wantsColour(stream: OutputStream, environment: Environment): boolean {
  if (environment['NO_COLOR']) return false;
  return stream.isTTY === true && environment['TERM'] !== 'dumb';
}

/** Styles are written as marks that nobody else can write, until the text around them has been cleaned. */
class Styles {
  private readonly mark = `\ufdd0${randomUUID()}:`;
  private readonly marks = new RegExp(`${this.mark}(\\d+);`, 'g');

  of(colour: boolean): Style {
    const paint = (open: number, close: number) => (text: string) =>
      colour ? `${this.mark}${open};${text}${this.mark}${close};` : text;
    return { bold: paint(1, 22), dim: paint(2, 22), red: paint(31, 39), yellow: paint(33, 39), cyan: paint(36, 39) };
  }

  clean(text: string): string {
    return printable(text).replace(this.marks, '\u001b[$1m');
  }
}
