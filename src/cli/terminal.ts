/** Where the command line writes, and how much of a terminal that is. */
export interface Terminal {
  /** One line of the result, on standard output. */
  print(line: string): void;
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
  let shown = false;
  const clear = () => {
    if (shown) stderr.write(`\r${ERASE_LINE}`);
    shown = false;
  };
  return {
    print(line) {
      clear();
      stdout.write(`${line}\n`);
    },
    say(line) {
      clear();
      stderr.write(`${line}\n`);
    },
    status(line) {
      if (statusWidth === 0) return;
      clear();
      if (line === '') return;
      // One column stays free: a full line would wrap, and the next one could not erase it.
      stderr.write(line.slice(0, statusWidth - 1));
      shown = true;
    },
    statusWidth,
    out: style(wantsColour(stdout, environment)),
    err: style(wantsColour(stderr, environment)),
  };
}

const ERASE_LINE = '\u001b[2K';

/** https://no-color.org: set and not empty means no colour, whatever the terminal can do. */
function wantsColour(stream: OutputStream, environment: Environment): boolean {
  if (environment['NO_COLOR']) return false;
  return stream.isTTY === true && environment['TERM'] !== 'dumb';
}

function style(colour: boolean): Style {
  const paint = (open: number, close: number) => (text: string) =>
    colour ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return { bold: paint(1, 22), dim: paint(2, 22), red: paint(31, 39), yellow: paint(33, 39), cyan: paint(36, 39) };
}
