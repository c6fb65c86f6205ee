import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/language/check/compile.ts';

const ROOT = new URL('../..', import.meta.url);
const PAGES = ['.', 'docs', 'media/walkthrough'].flatMap((folder) =>
  readdirSync(new URL(`${folder}/`, ROOT))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`),
);

/** What a part of a file may lack, since the rest of it is not shown. */
const LEFT_OUT = ['name/unknown', 'experiment/missing', 'search/missing'];

/** Indented blocks that are written in the language, and what stands in for `…` taken out. */
const SHOWN = PAGES.flatMap((page) => {
  const blocks = readFileSync(new URL(page, ROOT), 'utf8').matchAll(/(?:^ {4}.*\n|^\n(?= {4}))+/gm);
  return Array.from(blocks, ([block]) => block.replaceAll(/^ {4}/gm, '').replaceAll('…', ''))
    .filter((block) => /^(?:\/\/\/|(?:model|corpus|metric|experiment|search|defaults) )/m.test(block))
    .map((block) => [page, block.trim().split('\n')[0]!, block] as const);
});

describe('what the pages show of the language', () => {
  it('is found', () => {
    expect(new Set(SHOWN.map(([page]) => page)).size).toBeGreaterThan(3);
  });

  it.each(SHOWN)('%s: %s', (_page, _first, block) => {
    // What the editor writes beside a line, and the lens above it, are no part of the file.
    const text = block.replaceAll(/^Evaluate ·.*$/gm, '').replaceAll(/ {2,}(?:ppl |\d+ % of ).*$/gm, '');
    const problems = compile(text).diagnostics.filter(
      ({ code, severity }) => severity === 'error' && !LEFT_OUT.includes(code),
    );
    expect(problems.map(({ code, message }) => `${code}: ${message}`)).toEqual([]);
  });
});
