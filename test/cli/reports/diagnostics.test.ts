import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { locateDiagnostics, printDiagnostic } from '../../../src/cli/reports/diagnostics.ts';
import { createTerminal } from '../../../src/cli/terminal.ts';

const PLAIN = createTerminal({ write: () => true }, { write: () => true }, {}).err;

/** The text carries its own mark: what stands between `«` and `»` is the diagnostic's span. */
function show(marked: string): string {
  const start = marked.indexOf('«');
  const end = marked.indexOf('»') - 1;
  const text = marked.replace(/[«»]/g, '');
  const [found] = locateDiagnostics('m.prune', text, [
    { severity: 'error', code: 'some-code', message: 'wrong', start, end },
  ]);
  return `\n${printDiagnostic(found!, text, PLAIN)}\n`;
}

describe('a diagnostic is printed as compilers do', () => {
  it.each([
    ['first line', 'metric a = «tnah»(W)', 'm.prune:1:12', 'metric a = tnah(W)', '           ^^^^'],
    ['after CR LF', '// one\r\nmetric a = «Q»\r\n', 'm.prune:2:12', 'metric a = Q', '           ^'],
    ['tabs stay tabs', '\tmetric\ta = «Q»', 'm.prune:1:13', '\tmetric\ta = Q', '\t      \t    ^'],
    ['empty span', 'metric a =«»', 'm.prune:1:11', 'metric a =', '          ^'],
    ['over two lines', 'metric a = «mms(\nW, W)»', 'm.prune:1:12', 'metric a = mms(', '           ^^^^'],
    ['end of the text', 'metric a\n«»', 'm.prune:2:1', '', '^'],
  ])('%s', (_, marked, place, source, marks) => {
    expect(show(marked)).toBe(`\n${place}: error: wrong [some-code]\n  ${source}\n  ${marks}\n`);
  });

  it('orders by place', () => {
    const at = (start: number) => ({ severity: 'error' as const, code: 'c', message: 'm', start, end: start + 1 });
    expect(locateDiagnostics('f', 'ab\ncd', [at(4), at(0), at(3)]).map(({ line, column }) => [line, column])).toEqual([
      [1, 1],
      [2, 1],
      [2, 2],
    ]);
  });

  it('never throws, whatever the text and the offsets', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\t', '«', '𝒲', ' ') }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 40 }),
        (text, start, end) => {
          const [found] = locateDiagnostics('f', text, [{ severity: 'warning', code: 'c', message: 'm', start, end }]);
          expect(found!.line).toBeGreaterThan(0);
          expect(found!.column).toBeGreaterThan(0);
          expect(printDiagnostic(found!, text, PLAIN).split('\n')).toHaveLength(3);
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });
});
