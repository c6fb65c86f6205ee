import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type * as vscode from 'vscode';
import { agentWorkspace, FILE } from '../../agents/agentWorkspace.ts';
import type { AgentWorkspace } from '../../agents/agentWorkspace.ts';

const editor = vi.hoisted(() => ({
  tools: new Map<string, unknown>(),
  root: undefined as string | undefined,
  isTrusted: true,
  isDirty: false,
  edits: [] as { at: number; text: string }[],
}));
vi.mock('vscode', () => {
  class MarkdownString {
    readonly value: string;
    constructor(value: string) {
      this.value = value;
    }
  }
  class Part {
    readonly value: string;
    constructor(value: string) {
      this.value = value;
    }
  }
  class Result {
    readonly content: readonly Part[];
    constructor(content: readonly Part[]) {
      this.content = content;
    }
  }
  class WorkspaceEdit {
    insert(_: unknown, at: number, text: string): void {
      editor.edits.push({ at, text });
    }
  }
  return {
    ...{ MarkdownString, WorkspaceEdit, LanguageModelTextPart: Part, LanguageModelToolResult: Result },
    Disposable: { from: () => ({ dispose: () => undefined }) },
    Uri: { file: (fsPath: string) => ({ fsPath }) },
    lm: { registerTool: (name: string, tool: unknown) => editor.tools.set(name, tool) },
    window: { activeTextEditor: undefined, showTextDocument: () => Promise.resolve() },
    workspace: {
      get isTrusted() {
        return editor.isTrusted;
      },
      get workspaceFolders() {
        return editor.root === undefined ? undefined : [{ uri: { scheme: 'file', fsPath: editor.root } }];
      },
      getWorkspaceFolder: () => undefined,
      openTextDocument: (uri: unknown) =>
        Promise.resolve({ uri, isDirty: editor.isDirty, positionAt: (at: number) => at }),
      applyEdit: () => Promise.resolve(true),
    },
  };
});

let workspace: AgentWorkspace;
const evaluated: unknown[] = [];
beforeAll(async () => {
  workspace = await agentWorkspace();
  const { registerAgentTools } = await import('../../../src/extension/agents/agentTools.ts');
  registerAgentTools({
    located: (plan) => Promise.resolve(plan),
    evaluate: (plan) => {
      evaluated.push(plan);
      return Promise.resolve([]);
    },
  });
});
afterAll(() => workspace.remove());
beforeEach(() => {
  Object.assign(editor, { root: workspace.root, isTrusted: true, isDirty: false, edits: [] });
});

const toolOf = (name: string) => editor.tools.get(`espalier_${name}`) as vscode.LanguageModelTool<object>;
const token = { isCancellationRequested: false, onCancellationRequested: () => undefined } as never;
const METRIC = { file: 'metrics.prune', name: 'mine', formula: 'W * X' };

async function invoke(name: string, input: object): Promise<Record<string, unknown>> {
  const result = (await toolOf(name).invoke({ input, toolInvocationToken: undefined }, token))!;
  return JSON.parse((result.content[0] as { value: string }).value) as Record<string, unknown>;
}

describe('tools for the editor’s language models', () => {
  it.each([
    ['read_run', { run: '[x](command:evil)' }, 'read the run \\[x\\]\\(command:evil\\)'],
    ['evaluate_formula', { file: 'a.prune', formula: 'W' }, 'evaluate W on the model and texts of a.prune'],
    ['propose_metric', METRIC, 'write metric mine = W \\* X into metrics.prune'],
  ])('%s waits for a yes, and says to what', async (name, input, words) => {
    const prepared = await toolOf(name).prepareInvocation!({ input }, token);
    expect(prepared).toMatchObject({
      confirmationMessages: { message: { value: `Let the language model ${words}?` } },
    });
  });

  it('a metric is an edit of the document, and nothing is written', async () => {
    expect(await invoke('propose_metric', METRIC)).toMatchObject({ inserted: 'metric mine = W * X' });
    const at = FILE.indexOf('metric wanda = W * sqrt(X)') + 'metric wanda = W * sqrt(X)'.length;
    expect(editor.edits).toEqual([{ at, text: '\n\nmetric mine = W * X' }]);
    expect(await readFile(path.join(workspace.root, 'metrics.prune'), 'utf8')).toBe(FILE);
  });

  it.each([
    ['changes that are not saved', { isDirty: true }, 'propose_metric', METRIC, 'io/write'],
    [
      'a workspace that is not trusted',
      { isTrusted: false },
      'evaluate_formula',
      { file: 'metrics.prune', formula: 'W' },
      'agents/not-allowed',
    ],
    ['no folder', { root: undefined }, 'list_runs', {}, 'agents/outside'],
    ['another folder’s file', {}, 'read_experiments', { file: '../beside.prune' }, 'agents/outside'],
  ])('%s: refused with a code', async (_, state, name, input, code) => {
    Object.assign(editor, state);
    expect(await invoke(name, input)).toMatchObject({ error: { code } });
    expect([editor.edits, evaluated]).toEqual([[], []]);
  });

  it('a formula is evaluated by the worker', async () => {
    expect(await invoke('evaluate_formula', { file: 'metrics.prune', formula: 'W' })).toMatchObject({ formula: 'W' });
    expect(evaluated).toMatchObject([{ evaluations: [{ metric: 'W' }] }]);
  });
});
