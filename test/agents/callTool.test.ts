import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentContext } from '../../src/agents/agentTool.ts';
import { callTool } from '../../src/agents/callTool.ts';
import { inserted } from '../../src/agents/metricInsertion.ts';
import { TOOLS } from '../../src/agents/tools.ts';
import { compile } from '../../src/language/check/compile.ts';
import type { EvaluationPlan } from '../../src/experiment/planSchema.ts';
import { agentWorkspace, FILE, SECRET } from './agentWorkspace.ts';
import type { AgentWorkspace } from './agentWorkspace.ts';

let workspace: AgentWorkspace;
beforeAll(async () => {
  workspace = await agentWorkspace();
  const { root, beside } = workspace;
  await symlink(beside, path.join(root, 'linked.prune'));
  await mkdir(path.join(root, 'folder.prune'));
  await mkdir(path.join(root, 'node_modules'));
  await writeFile(path.join(root, 'node_modules/theirs.prune'), '');
  await writeFile(path.join(root, 'away.prune'), FILE.replace('"model"', '"../model"'));
});
afterAll(() => workspace.remove());

const planned: EvaluationPlan[] = [];
const context = (leave: Partial<AgentContext> = {}): AgentContext => ({
  root: workspace.root,
  folders: [],
  signal: new AbortController().signal,
  ...leave,
});
const allowed: Partial<AgentContext> = {
  evaluate: (plan) => {
    planned.push(plan);
    return Promise.resolve([]);
  },
  write: async (file, insertion) => writeFile(file, inserted(await readFile(file, 'utf8'), insertion)),
};

async function ask(name: string, input: unknown, leave?: Partial<AgentContext>) {
  const { isError, text } = await callTool(name, input, context(leave));
  expect(text).not.toContain(SECRET);
  return { isError, answer: JSON.parse(text) as Record<string, unknown> };
}

describe('what an agent reads', () => {
  it.each([
    ['list_files', {}, { files: ['away.prune', 'metrics.prune'] }],
    ['check_formula', { formula: 'mul(abs(W), X ^ 0.5)' }, { operands: ['W', 'X'] }],
    ['list_evaluations', {}, { evaluations: [], of: 0 }],
    [
      'read_experiments',
      { file: 'metrics.prune' },
      {
        text: FILE,
        problems: [],
        declarations: expect.arrayContaining([{ kind: 'metric', name: 'wanda', formula: 'W * sqrt(X)' }]) as unknown,
      },
    ],
  ])('%s %j', async (name, input, expected) => {
    expect(await ask(name, input)).toEqual({ isError: false, answer: expect.objectContaining(expected) as unknown });
  });

  it('a formula and its other spellings have one canonical form', async () => {
    const forms = ['W * sqrt(X)', 'mul(sqrt(X), W)', 'exp(log(abs(W)) + 0.5 * log(X))'];
    const canonical = await Promise.all(
      forms.map(async (formula) => (await ask('check_formula', { formula })).answer['canonical']),
    );
    expect(new Set(canonical.slice(0, 2)).size).toBe(1);
  });

  it('a run: what it was asked, and the best of what it found, as its events have it', async () => {
    const { answer: list } = await ask('list_runs', {});
    expect(list).toMatchObject({ of: 1, runs: [{ run: workspace.run, method: 'pruner-zero', state: 'finished' }] });
    const { answer } = await ask('read_run', { run: workspace.run.slice(0, 15), candidates: 5 });
    expect(answer).toMatchObject({
      run: workspace.run,
      asked: { sparsity: '60%' },
      finalists: expect.any(Array) as unknown,
    });
    const fitness = (answer['candidates'] as { perplexity: number }[]).map(({ perplexity }) => perplexity);
    expect(fitness).toHaveLength(5);
    expect(fitness).toEqual(fitness.toSorted((a, b) => a - b));
    // Where a language model is asked, and with what words, stays here.
    expect(JSON.stringify(answer)).not.toMatch(/localhost|Propose \{\{/);
    expect(answer).toMatchObject({ asked: { llm: { provider: 'openai', llm: 'qwen2.5-coder:14b' } } });
  });
});

describe('what is refused, and with which code', () => {
  const formula = 'W * sqrt(X)';
  it.each([
    ['no_such_tool', {}, 'agents/input'],
    ['__proto__', {}, 'agents/input'],
    ['check_formula', {}, 'agents/input'],
    ['check_formula', { formula, more: 1 }, 'agents/input'],
    ['check_formula', { formula: ['W'] }, 'agents/input'],
    ['check_formula', { formula: 'W *' }, 'metric/syntax'],
    ['check_formula', { formula: '2' }, 'metric/syntax'],
    ['list_runs', { limit: 1e9 }, 'agents/input'],
    ['list_runs', [], 'agents/input'],
    ['list_runs', 'all', 'agents/input'],
    ['read_run', { run: '../../beside' }, 'runs/not-found'],
    ['read_run', { run: '' }, 'agents/input'],
    ['read_experiments', { file: '../beside.prune' }, 'agents/outside'],
    ['read_experiments', { file: '/etc/passwd' }, 'agents/outside'],
    ['read_experiments', { file: '/etc/passwd\0.prune' }, 'agents/outside'],
    ['read_experiments', { file: 'model/config.json' }, 'agents/outside'],
    ['read_experiments', { file: 'linked.prune' }, 'agents/outside'],
    ['read_experiments', { file: 'folder.prune' }, 'io/read'],
    ['read_experiments', { file: 'none.prune' }, 'io/read'],
    ['evaluate_formula', { file: 'metrics.prune', formula }, 'agents/not-allowed'],
    ['propose_metric', { file: 'metrics.prune', name: 'mine', formula }, 'agents/not-allowed'],
  ])('%s %j: %s', async (name, input, code) => {
    expect(await ask(name, input)).toMatchObject({ isError: true, answer: { error: { code } } });
  });

  it.each([
    ['evaluate_formula', { file: 'away.prune', formula }, 'agents/outside'],
    ['evaluate_formula', { file: 'metrics.prune', formula, sparsity: '150%' }, 'agents/input'],
    ['evaluate_formula', { file: 'metrics.prune', formula: 'W\nmetric evil = X' }, 'metric/syntax'],
    ['propose_metric', { file: '../beside.prune', name: 'mine', formula }, 'agents/outside'],
    ['propose_metric', { file: 'linked.prune', name: 'mine', formula }, 'agents/outside'],
    ['propose_metric', { file: 'metrics.prune', name: 'wanda', formula }, 'agents/input'],
    ['propose_metric', { file: 'metrics.prune', name: 'sqrt', formula }, 'agents/input'],
    ['propose_metric', { file: 'metrics.prune', name: 'a = W\nmodel b', formula }, 'agents/input'],
  ])('with leave for all, %s %j: %s', async (name, input, code) => {
    expect(await ask(name, input, allowed)).toMatchObject({ isError: true, answer: { error: { code } } });
    expect(await readFile(path.join(workspace.root, 'metrics.prune'), 'utf8')).toBe(FILE);
    expect(await readFile(workspace.beside, 'utf8')).toBe(`// ${SECRET}\n`);
  });

  it('a formula longer than any that somebody reads is refused before it is read', async () => {
    expect(await ask('check_formula', { formula: 'W'.repeat(4001) })).toMatchObject({
      answer: { error: { code: 'agents/input', expected: expect.stringContaining('4000') as string } },
    });
  });

  it('whatever else comes has an answer with a code, too', async () => {
    const values = fc.oneof(fc.anything(), fc.record({ file: fc.string(), formula: fc.string(), run: fc.string() }));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...TOOLS.map(({ name }) => name)), values, async (name, input) => {
        const { isError, text } = await callTool(name, input, context());
        expect(text).not.toContain(SECRET);
        const { error } = JSON.parse(text) as { error?: { code: string } };
        expect(isError).toBe(error !== undefined);
        expect(error?.code).not.toBe('internal');
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe('what an agent does', () => {
  it('a formula is evaluated in its file’s place, under a name of its own', async () => {
    planned.length = 0;
    const input = { file: 'metrics.prune', formula: 'W * X', sparsity: '40%,2:4' };
    expect((await ask('evaluate_formula', input, allowed)).isError).toBe(false);
    expect(planned).toMatchObject([
      {
        model: path.join(workspace.root, 'model'),
        settings: { blocks: 2, samples: 2 },
        evaluations: [{ metric: 'W * X' }, { metric: 'W * X' }],
      },
    ]);
  });

  it('models elsewhere are read where a person has named their folder', async () => {
    const folders = [path.dirname(workspace.root)];
    const input = { file: 'away.prune', formula: 'W' };
    // What is not there is none of what may be read.
    expect(await ask('evaluate_formula', input, { ...allowed, folders })).toMatchObject({ isError: true });
    await mkdir(path.join(folders[0]!, 'model'), { recursive: true });
    expect(await ask('evaluate_formula', input, { ...allowed, folders })).toMatchObject({ isError: false });
  });

  it('a metric comes below the others, printed anew, and the file has no error more', async () => {
    const input = { file: 'metrics.prune', name: 'mine', formula: 'mul(W,X)', comment: 'x\nmodel evil = "/"' };
    expect(await ask('propose_metric', input, allowed)).toMatchObject({ isError: false });
    const text = await readFile(path.join(workspace.root, 'metrics.prune'), 'utf8');
    expect(text).toContain('metric wanda = W * sqrt(X)\n\n/// x model evil = "/"\nmetric mine = W * X\n');
    expect(compile(text).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(compile(text).declarations.map(({ name }) => name)).not.toContain('evil');
  });
});
