import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { nodesOf, parseSource, sourceFiles } from '../support/sources.ts';

/**
 * A recipe of CONTRIBUTING.md says which files one more of its kind touches, and names what was added last:
 *
 *     examples: gptNeoX GPTNeoXForCausalLM, opt     words of one example, and of another
 *     src/engine/families/*.ts                      every example is in one of these
 *     ? src/language/check/expressions.ts           some are
 *     ! src/experiment/protocols.ts                 a word of some means something else there
 */
interface Recipe {
  readonly title: string;
  /** Of each example the words that mean it and nothing else: names in the code, or whole texts in quotes. */
  readonly examples: readonly (readonly string[])[];
  readonly always: readonly string[];
  readonly sometimes: readonly string[];
  readonly otherwise: readonly string[];
}

const page = readFileSync(new URL('../../CONTRIBUTING.md', import.meta.url), 'utf8');
const RECIPES = page
  .split(/^##+ /m)
  .flatMap((section) =>
    Array.from(section.matchAll(/```recipe\n([^]*?)```/g), ([, text]) => readRecipe(section, text!)),
  );

/** Word → the files with this name, or this text in quotes. */
const filesOf = new Map<string, Set<string>>();
for (const file of sourceFiles('src', 'webview-ui')) {
  for (const node of nodesOf(parseSource(file))) {
    if (!ts.isIdentifier(node) && !ts.isStringLiteralLike(node)) continue;
    if (!filesOf.has(node.text)) filesOf.set(node.text, new Set());
    filesOf.get(node.text)!.add(file);
  }
}

describe('the recipes of CONTRIBUTING.md', () => {
  it('are there for each kind of thing that is added', () => {
    const kinds = [
      'operation',
      'operand',
      'primitive',
      'scorer',
      'family',
      'search method',
      'setting',
      'request',
      'protocol',
    ];
    expect(kinds.filter((kind) => !RECIPES.some(({ title }) => title.includes(kind)))).toEqual([]);
    expect(page.match(/```recipe/g)).toHaveLength(RECIPES.length);
  });

  it.each(RECIPES)('$title: its files are those that its examples touch', (recipe) => {
    expect(problemsOf(recipe)).toEqual([]);
  });

  it.each(RECIPES)('$title: a file that is missing from it, and one too many, are told', (recipe) => {
    const fewer = { ...recipe, always: recipe.always.slice(0, -1), sometimes: [] };
    expect(problemsOf(fewer)).toContainEqual(expect.stringMatching(/ is in /));
    const more = { ...recipe, always: [...recipe.always, 'src/base/rng.ts'], sometimes: ['src/base/version.ts'] };
    expect(problemsOf(more).join('\n')).toMatch(/no .* in src\/base\/rng\.ts[^]*nothing in src\/base\/version\.ts/);
    const elsewhere = { ...recipe, otherwise: [...recipe.otherwise, 'src/base/rng.ts'] };
    expect(problemsOf(elsewhere)).toContain('nothing in src/base/rng.ts');
  });
});

function readRecipe(section: string, text: string): Recipe {
  const [title = ''] = section.split('\n');
  const [head, ...lines] = text.trim().split('\n');
  const examples = head!.replace(/^examples: /, '').split(', ');
  return {
    title,
    examples: examples.map((words) => words.split(' ')),
    always: lines.filter((line) => !/^[?!] /.test(line)),
    sometimes: lines.filter((line) => line.startsWith('? ')).map((line) => line.slice(2)),
    otherwise: lines.filter((line) => line.startsWith('! ')).map((line) => line.slice(2)),
  };
}

/** Where the recipe and its examples differ, in lines that say what to write. */
function problemsOf({ examples, always, sometimes, otherwise }: Recipe): string[] {
  const touched = examples.map((words) => words.flatMap((word) => [...(filesOf.get(word) ?? [])]));
  return [
    ...examples.flatMap((words, i) => {
      const files = touched[i]!;
      const unsaid = files.filter(
        (file) => ![...always, ...sometimes, ...otherwise].some((glob) => matches(glob, file)),
      );
      const missed = always.filter((glob) => !files.some((file) => matches(glob, file)));
      return [
        ...unsaid.map((file) => `${words.join(' ')} is in ${file}`),
        ...missed.map((glob) => `no ${words.join(' ')} in ${glob}`),
      ];
    }),
    ...[...sometimes, ...otherwise]
      .filter((glob) => !touched.flat().some((file) => matches(glob, file)))
      .map((glob) => `nothing in ${glob}`),
  ];
}

/** `*` stands for any name, or a part of one. */
function matches(glob: string, file: string): boolean {
  const escaped = glob.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*');
  return new RegExp(`^${escaped}$`).test(file);
}
