import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = ['.', 'docs', 'media/walkthrough'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

describe('what the documentation names is there', () => {
  it.each(PAGES)('%s: links, to the heading', (page) => {
    const links = Array.from(read(page).matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g), ([, file, heading]) => ({
      target: file === '' ? page : join(dirname(page), file!),
      heading,
      outside: file!.includes('://'),
    })).filter(({ outside }) => !outside);
    expect(links.filter(({ target }) => !existsSync(join(ROOT, target)))).toEqual([]);
    expect(
      links.filter(({ target, heading }) => heading !== undefined && !headingsOf(read(target)).includes(heading)),
    ).toEqual([]);
  });

  it.each(PAGES)('%s: files of the repository', (page) => {
    const files = Array.from(
      read(page).matchAll(/`((?:src|test|bench|scripts|media|webview-ui)\/[^`\s<…]*)`/g),
      (match) => match[1]!,
    );
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  it.each(PAGES)('%s: npm scripts', (page) => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    const named = Array.from(read(page).matchAll(/npm run ([\w:]+)/g), (match) => match[1]!);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it.each(PAGES)('%s: no line that a person has to scroll for', (page) => {
    const lines = read(page).split('\n');
    // A row of a table cannot be wrapped.
    expect(lines.filter((line) => !line.startsWith('|') && line.length > 180)).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  it.each(['src', 'src/engine'])('has every folder of %s', (parent) => {
    const folders = readdirSync(join(ROOT, parent), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const page = read('docs/architecture.md');
    expect(folders.map(({ name }) => name).filter((name) => !new RegExp(`^ +${name}/\\s`, 'm').test(page))).toEqual([]);
  });
});

describe('what the editor offers', () => {
  const { contributes } = JSON.parse(read('package.json')) as {
    contributes: { configuration: { properties: object }[]; commands: { title: string }[] };
  };

  it('docs/editor.md: every setting', () => {
    const page = read('docs/editor.md');
    const settings = contributes.configuration.flatMap(({ properties }) => Object.keys(properties));
    // Of several with one beginning the others stand there without it.
    const isThere = (name: string) => page.includes(`\`${name}\``) || page.includes(`\`.${name.split('.').at(-1)!}\``);
    expect(settings.filter((name) => !isThere(name))).toEqual([]);
  });

  it.each(PAGES)('%s: commands of the editor', (page) => {
    const titles = contributes.commands.map(({ title }) => title.replace('…', ''));
    const named = Array.from(read(page).matchAll(/\*Espalier: ([^*]+?)…?\*/g), (match) =>
      match[1]!.replace(/\s+/g, ' '),
    );
    expect(named.filter((title) => !titles.includes(title))).toEqual([]);
  });
});

/** Headings as they stand in addresses: small letters, blanks as dashes, no other signs. */
function headingsOf(text: string): string[] {
  return Array.from(text.matchAll(/^#+ (.*)$/gm), (match) =>
    match[1]!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
