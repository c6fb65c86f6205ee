import { describe, expect, it } from 'vitest';
import { progressLine } from '../../src/cli/progressBar.ts';
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
