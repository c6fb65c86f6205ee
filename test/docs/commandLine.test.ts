import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/base/errors.ts';
import { EXIT, exitCodeOf } from '../../src/cli/exitCode.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { createTerminal } from '../../src/cli/terminal.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const PAGE = read('docs/command-line.md');
const README = read('README.md');
const PAGES = [
  'README.md',
  ...readdirSync(new URL('../../docs', import.meta.url)).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));

/** What `--help` prints behind these words. */
async function help(...words: string[]): Promise<string> {
  let text = '';
  const stream = { write: (written: string) => (text += written) };
  const unused = () => {
    throw new Error('help needs nothing of this');
  };
  await runCommandLine([...words, '--help'], {
    terminal: createTerminal(stream, stream, {}),
    folder: '/here',
    signal: new AbortController().signal,
    createEngine: unused,
    forkWorker: unused,
    listDevices: unused,
    keys: {},
    shippedPrompts: '/prompts',
  });
  return text;
}

const flagsIn = (text: string): string[] => [...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag);
const commandsIn = (text: string): string[] =>
  [...(/\nCommands:\n([^]*?)\n\n/.exec(`${text}\n\n`)?.[1] ?? '').matchAll(/^ {2}([a-z-]+)/gm)]
    .map((match) => match[1]!)
    .filter((name) => name !== 'help');

const COMMANDS = commandsIn(await help());
const RUNS = commandsIn(await help('runs'));
const FLAGS = new Map<string, readonly string[]>(
  await Promise.all(
    COMMANDS.map(async (command) => {
      const text = await help(command);
      const below = await Promise.all(commandsIn(text).map((name) => help(command, name)));
      return [command, [text, ...below].flatMap(flagsIn)] as const;
    }),
  ),
);

describe('docs/command-line.md', () => {
  it('has a section for every command, and README an example', () => {
    expect(COMMANDS.length).toBeGreaterThan(8);
    const sections = [...PAGE.matchAll(/^## espalier ([a-z-]+)$/gm)].map((match) => match[1]!);
    expect(sections.sort()).toEqual([...COMMANDS].sort());
    expect(COMMANDS.filter((command) => !README.includes(`npx espalier ${command}`))).toEqual([]);
    expect(RUNS.filter((command) => !new RegExp(`espalier runs \\[?${command}`).test(PAGE))).toEqual([]);
  });

  it.each(COMMANDS)('has every flag of %s', (command) => {
    const documented = flagsIn(PAGE);
    expect(FLAGS.get(command)!.filter((flag) => !documented.includes(flag))).toEqual([]);
  });

  it('has no flag that there is not', () => {
    const known = new Set([...FLAGS.values()].flat());
    expect(flagsIn(PAGE).filter((flag) => !known.has(flag))).toEqual([]);
  });

  it('has every exit code, as `--help` has', async () => {
    const codes = Object.values(EXIT).map(String);
    expect(rowsOf('Exit codes').map(([code]) => code)).toEqual(codes);
    const [, listed] = (await help()).split('Exit codes:');
    expect(codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(listed!))).toEqual([]);
  });

  it('has every error code, with the exit code that it leads to', () => {
    const [, union] = read('src/base/errorSchema.ts').split('export type ErrorCode =');
    const codes = [...union!.split(';')[0]!.matchAll(/\| '([a-z/-]+)'/g)].map((match) => match[1] as ErrorCode);
    expect(codes.length).toBeGreaterThan(40);
    const rows = rowsOf('Error codes').map(([code, exit]) => [code!.replaceAll('`', ''), Number(exit)]);
    expect(rows).toEqual(codes.map((code) => [code, exitCodeOf(code)]));
  });
});

describe.each(PAGES)('%s', (page) => {
  it('shows command lines that there are', () => {
    // Indented blocks, a line that ends in a backslash with what follows it.
    const lines = read(page)
      .replaceAll(/\\\n\s*/g, '')
      .matchAll(/^ {4}(?:[A-Z_]+=\S+ )*(?:npx )?espalier ([a-z-]+)(.*)$/gm);
    const wrong = [...lines].flatMap(([line, command, rest]) => {
      const known = FLAGS.get(command!);
      if (known === undefined) return [line];
      const unknown = flagsIn(rest!.replace(/ #.*/, '')).filter((flag) => !known.includes(flag));
      return unknown.map((flag) => `${line}: ${flag}`);
    });
    expect(wrong).toEqual([]);
  });
});

/** Cells of the first table below a heading, its head left out. */
function rowsOf(heading: string): string[][] {
  const section = PAGE.split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!;
  const rows = [...section.matchAll(/^\| (.*) \|$/gm)].map((match) => match[1]!.split(' | '));
  return rows.slice(1);
}
