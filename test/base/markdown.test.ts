import { describe, expect, it } from 'vitest';
import { markdownBlock, markdownCode, markdownLines, markdownText } from '../../src/base/markdown.ts';
import { plainLine } from '../../src/base/plainText.ts';
import { ACTIVE, renderMarkdown } from '../support/renderMarkdown.ts';

/** What somebody may write into a name, a path, a formula or an error. */
export const HOSTILE: readonly string[] = [
  '![x](https://elsewhere.example/x.png)',
  '![x][y]\n\n[y]: https://elsewhere.example/x.png',
  '<img src="https://elsewhere.example/x.png">',
  '<script>alert(1)</script>',
  '[run](command:workbench.action.terminal.new)',
  '<https://elsewhere.example>',
  'see https://elsewhere.example/x and www.elsewhere.example and me@elsewhere.example',
  '`![x](https://elsewhere.example/x.png)`',
  'W` ![x](https://elsewhere.example/x.png) `',
  '```\n![x](https://elsewhere.example/x.png)\n```',
  '| a | b |\n|---|---|\n| ![x](https://e.example/x) |',
  'a \\| ![x](https://e.example/x) \\\\| b',
  '# heading',
  'heading\n=======',
  'heading\n---',
  '- [x] done',
  '1. one',
  '    indented',
  '**bold** _italic_ ~~gone~~ $(alert) :smile:',
  '&lt;b&gt; &#33;[x](y) &excl;',
  '\\![x](y) \\\\![x](y)',
  'back\\',
  '\u202Eevil\u202C \u0007\u001b]8;;https://e.example\u0007x',
  '[^1]: note',
  '',
];

const shown = (text: string): string => plainLine(text);
const active = (source: string): string[] =>
  [...renderMarkdown(source).elements].filter((type) => ACTIVE.includes(type));

describe('what a file says is shown as the text that it is', () => {
  it.each(HOSTILE)('%j on a line', (text) => {
    for (const [before, after] of [
      ['', ''],
      ['**Stale:** ', ''],
      ['a\n\n', '\n\nb'],
    ] as const) {
      const source = `${before}${markdownText(text)}${after}`;
      expect(active(source)).toEqual([]);
      expect(renderMarkdown(source).text).toContain(shown(text));
    }
  });

  it.each(HOSTILE)('%j in a cell of a table, which ends where it did', (text) => {
    const source = `| a | b |\n|---|---|\n| ${markdownText(text)} | ${markdownCode(text)} |\n| c | d |`;
    const { elements, text: read } = renderMarkdown(source);
    expect([elements.has('table_open'), active(source)]).toEqual([true, []]);
    expect(read).toContain(shown(text));
    expect(read.endsWith('cd')).toBe(true);
  });

  it.each(HOSTILE)('%j as code', (text) => {
    const source = `a ${markdownCode(text)} b`;
    expect(active(source)).toEqual([]);
    expect(renderMarkdown(source).text).toContain(shown(text.replace(/[`|]/g, ' ')));
  });

  it.each(HOSTILE)('%j as a block of code, which nothing in it ends', (text) => {
    const source = `${markdownBlock(text, 'prune')}\n\nafter`;
    expect(active(source)).toEqual([]);
    expect(renderMarkdown(source).text).toContain(text);
    expect(renderMarkdown(source).elements).toContain('fence');
  });

  it.each(HOSTILE)('%j as a comment of several lines', (text) => {
    const source = markdownLines(`first\n${text}\n\nlast`);
    expect(active(source)).toEqual([]);
    for (const line of text.split('\n')) expect(renderMarkdown(source).text).toContain(shown(line));
  });

  it('and a text of megabytes is cut', () => {
    for (const sign of ['!', '`', ' ', '\\', '\u202e', 'www.'])
      for (const make of [markdownText, markdownCode, markdownLines])
        expect(make(sign.repeat(4 << 20)).length).toBeLessThan(10_000);
  });
});
