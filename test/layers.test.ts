import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cruise } from 'dependency-cruiser';
import type { IConfiguration, ICruiseResult } from 'dependency-cruiser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '..');
const rules = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as IConfiguration;
const folder = mkdtempSync(path.join(tmpdir(), 'espalier-layers-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const foldersOf = (parent: string): string[] =>
  readdirSync(path.join(root, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

interface Plant {
  readonly rule: string;
  /** A file that is planted, and what it imports. */
  readonly from: string;
  readonly to: string;
}

/** Imports that go the wrong way, one for each kind of rule at least. */
const PLANTS: readonly Plant[] = [
  // What everybody may import knows nobody; what runs above everybody is known to nobody.
  ...foldersOf('src').map((layer) => ({ rule: `layer-${layer}`, from: `src/${layer}`, to: 'tools/sample' })),
  ...foldersOf('src').map((layer) => ({ rule: `layer-${layer}`, from: `src/${layer}`, to: 'webview-ui/panel' })),
  ...foldersOf('src')
    .filter((layer) => layer !== 'cli')
    .map((layer) => ({ rule: `layer-${layer}`, from: `src/${layer}`, to: 'src/cli' })),
  { rule: 'layer-cli', from: 'src/cli', to: 'src/extension/search' },
  ...[
    ['base', 'files'],
    ['files', 'metric'],
    ['metric', 'experiment'],
    ['experiment', 'search'],
    ['search', 'runs'],
    ['search', 'view'],
    ['search', 'engine/models'],
    ['protocol', 'engine/models'],
    ['language', 'runs'],
    ['engine/models', 'view'],
    ['engine/models', 'runs'],
    ['runs', 'llm'],
    ['llm', 'coordinator'],
    ['coordinator', 'engine/models'],
    ['worker', 'hub'],
    ['extension', 'coordinator'],
  ].map(([from, to]) => ({ rule: `layer-${from!.split('/')[0]!}`, from: `src/${from!}`, to: `src/${to!}` })),
  // Inside the engine; its door is above everything in it.
  ...foldersOf('src/engine').map((name) => ({ rule: `engine-${name}`, from: `src/engine/${name}`, to: 'src/engine' })),
  ...foldersOf('src/engine')
    .filter((name) => name !== 'search')
    .map((name) => ({ rule: `engine-${name}`, from: `src/engine/${name}`, to: 'src/engine/search' })),
  { rule: 'engine-search', from: 'src/engine/search', to: 'src/engine/export' },
  // A folder that no rule knows of.
  { rule: 'every-folder-is-a-layer', from: 'src/planted', to: 'src/base' },
  { rule: 'every-folder-is-a-layer', from: 'src/engine/planted', to: 'src/base' },
  { rule: 'every-folder-is-a-layer', from: 'src', to: 'src/base' },
  { rule: 'extension-never-reaches-engine', from: 'src/extension/search', to: 'src/engine/models' },
  { rule: 'layer-webview', from: 'webview-ui/panel', to: 'src/extension/search' },
  { rule: 'layer-webview', from: 'webview-ui/preview', to: 'src/extension/search' },
  { rule: 'layer-webview', from: 'webview-ui/panel', to: 'src/runs' },
  { rule: 'layer-webview', from: 'webview-ui/panel', to: 'tools/sample' },
  { rule: 'layer-tools', from: 'tools/sample', to: 'src/extension' },
  { rule: 'layer-tools', from: 'tools/sample', to: 'webview-ui/panel' },
  { rule: 'vscode-only-in-extension', from: 'src/runs', to: 'vscode' },
  { rule: 'vscode-only-in-extension', from: 'webview-ui/panel', to: 'vscode' },
  { rule: 'onnxruntime-only-in-runtime', from: 'src/engine/graph', to: 'onnxruntime-node' },
  { rule: 'onnxruntime-only-in-runtime', from: 'tools/sample', to: 'onnxruntime-node' },
  ...['src/base', 'src/metric', 'src/experiment', 'src/search', 'src/view', 'webview-ui/panel'].map((from) => ({
    rule: 'no-io-in-pure-layers',
    from,
    to: 'node:fs',
  })),
];

/** Files that import each other, in one folder. */
const CYCLES = [
  'src/base',
  'src/cli',
  'src/engine/graph',
  'src/engine/evaluation',
  'src/extension/search',
  'webview-ui/panel',
  'tools/sample',
];

/** Imports that go the right way. */
const RIGHT = [
  ['src/cli', 'src/engine'],
  ['src/engine', 'src/engine/search'],
  ['src/engine/runtime', 'onnxruntime-node'],
  ['src/engine/models', 'src/engine/graph'],
  ['src/extension', 'vscode'],
  ['src/runs', 'node:fs'],
  ['webview-ui/panel', 'src/search'],
  ['tools/sample', 'src/engine'],
] as const;

const isFolder = (to: string): boolean => /^(src|webview-ui|tools)(\/|$)/.test(to);

/** `import` of values, and of types alone: a rule holds for both. */
const STATEMENTS = { values: 'import { planted } from', types: 'import type { planted } from' } as const;

describe.each(Object.entries(STATEMENTS))('layers, for imports of %s', (kind, statement) => {
  /** `rule from → to` of everything that was found. */
  let found: ReadonlySet<string>;
  const tree = path.join(folder, kind);
  const fileOf = (purpose: string, from: string, to: string): string =>
    `${from}/${purpose}${to.replaceAll(/\W+(\w)/g, (_, letter: string) => letter.toUpperCase())}.ts`;

  beforeAll(async () => {
    const write = (name: string, text: string): void => {
      const file = path.join(tree, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
    };
    const plant = (name: string, to: string): void => {
      if (isFolder(to)) write(`${to}/planted.ts`, 'export const planted = 1;\n');
      const target = isFolder(to) ? path.posix.relative(path.posix.dirname(name), `${to}/planted.ts`) : to;
      write(
        name,
        `${statement} '${target.startsWith('.') || !isFolder(to) ? target : `./${target}`}';\nexport type Used = typeof planted;\n`,
      );
    };
    for (const { from, to } of PLANTS) plant(fileOf('wrong', from, to), to);
    for (const [from, to] of RIGHT) plant(fileOf('right', from, to), to);
    for (const where of CYCLES) {
      write(
        `${where}/one.ts`,
        `${statement.replace('planted', 'two')} './two.ts';\nexport type One = typeof two;\nexport const one = 1;\n`,
      );
      write(`${where}/two.ts`, `import type { One } from './one.ts';\nexport const two: One = 2;\n`);
    }
    symlinkSync(path.join(root, 'node_modules'), path.join(tree, 'node_modules'));
    const { output } = await cruise(
      ['src', 'webview-ui', 'tools'],
      {
        ...rules.options,
        baseDir: tree,
        validate: true,
        ruleSet: { forbidden: rules.forbidden! },
      },
      rules.options!.enhancedResolveOptions,
    );
    const { violations } = (output as ICruiseResult).summary;
    found = new Set(violations.map(({ rule, from }) => `${rule.name} ${from}`));
  });

  it.each(PLANTS)('$rule: $from → $to', ({ rule, from, to }) => {
    expect([...found]).toContain(`${rule} ${fileOf('wrong', from, to)}`);
  });

  it.each(CYCLES)('no-cycles: %s', (where) => {
    expect([...found]).toContain(`no-cycles ${where}/one.ts`);
  });

  it('lets pass what goes the right way', () => {
    expect([...found].filter((each) => each.includes('/right'))).toEqual([]);
  });
});

it('every rule of the layers has its plant', () => {
  const planted = new Set([...PLANTS.map(({ rule }) => rule), 'no-cycles']);
  expect(rules.forbidden!.map(({ name }) => name).filter((name) => !planted.has(name!))).toEqual([]);
});
