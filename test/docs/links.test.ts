import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = ['.', 'docs'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

describe('what the documentation names is there', () => {
  it.each(PAGES)('%s: links', (page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const links = Array.from(text.matchAll(/\]\(([^)#]+)[^)]*\)/g), (match) => match[1]!);
    const files = links.filter((link) => !link.includes('://'));
    expect(files.filter((file) => !existsSync(join(ROOT, dirname(page), file)))).toEqual([]);
  });

  it.each(PAGES)('%s: npm scripts', (page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    const named = Array.from(text.matchAll(/npm run ([\w:]+)/g), (match) => match[1]!);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});
