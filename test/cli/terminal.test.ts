import { describe, expect, it } from 'vitest';
import { progressLine } from '../../src/cli/reports/progressBar.ts';
import { createTerminal } from '../../src/cli/terminal.ts';

/** A terminal on two recorded streams. */
function record(tty: boolean, environment: Record<string, string> = {}) {
  const written = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({
    isTTY: tty,
    columns: 40,
    write: (text: string) => {
      written[name] += text;
      return true;
    },
  });
  return { written, terminal: createTerminal(stream('out'), stream('err'), environment) };
}

describe('status line', () => {
  it('is drawn on standard error, replaced, and gone before anything else is printed', () => {
    const { written, terminal } = record(true);
    terminal.status('one');
    terminal.status('two');
    terminal.print('result');
    terminal.status('three');
    terminal.status('');
    expect(written).toEqual({ out: 'result\n', err: 'one\r\u001b[2Ktwo\r\u001b[2Kthree\r\u001b[2K' });
  });

  it.each([
    ['piped', false, {}],
    ['dumb terminal', true, { TERM: 'dumb' }],
  ])('%s: none', (_, tty, environment) => {
    const { written, terminal } = record(tty, environment);
    terminal.status('one');
    terminal.print('result');
    expect(written).toEqual({ out: 'result\n', err: '' });
  });

  it.each([0, 5, 20, 41, 200])('a terminal of %d columns is never overrun', (width) => {
    const line = progressLine({ stage: 'evaluating', done: 3, total: 7, detail: 'block 3 of 7' }, width);
    expect(line.length).toBeLessThanOrEqual(Math.max(0, width - 1));
  });

  it.each([
    [0, 0, '   0 %'],
    [1, 3, '  33 %'],
    [7, 7, ' 100 %'],
    [9, 7, ' 100 %'],
  ])('%d of %d', (done, total, percent) => {
    expect(progressLine({ stage: 'pruning', done, total, detail: '' }, 80)).toContain(percent);
  });
});

describe('what comes from files, names, paths and errors cannot steer the terminal', () => {
  const HOSTILE: [string, string, string][] = [
    ['colour', 'a\u001b[31mb', 'a\\u001b[31mb'],
    ['title', '\u001b]0;owned\u0007', '\\u001b]0;owned\\u0007'],
    ['clipboard', '\u001b]52;c;cm0gLXJm\u001b\\', '\\u001b]52;c;cm0gLXJm\\u001b\\'],
    ['eight-bit introducer', '\u009b2J', '\\u009b2J'],
    ['return over what stands there', 'bad\rgood', 'bad\\u000dgood'],
    ['backspace and delete', 'a\b\u007f', 'a\\u0008\\u007f'],
    ['a line that looks like ours', 'x\nerror: all is lost', 'x\n  error: all is lost'],
    ['a line of Windows', 'x\r\ny', 'x\n  y'],
    ['separators', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['text that runs the other way', 'a\u202egpj.exe', 'a\\u202egpj.exe'],
    ['isolates', '\u2066a\u2069', '\\u2066a\\u2069'],
    ['half a pair', 'a\ud800b', 'a\\ud800b'],
    ['the marks of styles', '\ufdd031;x', '\ufdd031;x'],
    ['nothing of the kind', 'tab\tüñí 漢字 🌿 “x” √', 'tab\tüñí 漢字 🌿 “x” √'],
  ];
  it.each(HOSTILE)('%s', (_, text, expected) => {
    for (const tty of [true, false]) {
      const { written, terminal } = record(tty);
      terminal.print(text);
      terminal.print([text, text]);
      terminal.say(text);
      expect(written).toEqual({ out: `${expected}\n`.repeat(3), err: `${expected}\n` });
    }
  });

  it('inside a style, too, and the style stays', () => {
    const { written, terminal } = record(true);
    terminal.print(terminal.out.bold(`a\u001b[0m${terminal.out.red('b')}`));
    expect(written.out).toBe('\u001b[1ma\\u001b[0m\u001b[31mb\u001b[39m\u001b[22m\n');
  });

  it('in the status line', () => {
    const { written, terminal } = record(true);
    terminal.status('block\u001b[2J\n');
    expect(written.err).toBe('block\\u001b[2J');
  });

  it('JSON stays the same JSON', () => {
    const value = { name: HOSTILE.map(([, text]) => text).join(' ') };
    const { written, terminal } = record(false);
    terminal.print(JSON.stringify(value));
    const units = Array.from({ length: written.out.length - 1 }, (_, at) => written.out.charCodeAt(at));
    expect(units.filter((unit) => unit < 0x20 || (unit >= 0x7f && unit < 0xa0) || unit === 0x2028)).toEqual([]);
    expect(JSON.parse(written.out)).toEqual(value);
  });
});

describe('colour', () => {
  it.each<[string, boolean, Record<string, string>, boolean]>([
    ['terminal', true, {}, true],
    ['pipe', false, {}, false],
    ['NO_COLOR', true, { NO_COLOR: '1' }, false],
    ['empty NO_COLOR', true, { NO_COLOR: '' }, true],
    ['dumb terminal', true, { TERM: 'dumb' }, false],
  ])('%s', (_, tty, environment, coloured) => {
    expect(record(tty, environment).terminal.out.bold('x') !== 'x').toBe(coloured);
  });
});
