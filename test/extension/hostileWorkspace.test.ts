import { link, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MarkdownString, TextEditor, TreeItem } from 'vscode';
import * as vscode from 'vscode';
import { EspalierError } from '../../src/base/errors.ts';
import type { CheckpointSummary } from '../../src/experiment/resultSchema.ts';
import { registerCommands } from '../../src/extension/commands.ts';
import { Decorations } from '../../src/extension/evaluate/decorations.ts';
import { askModal, linkFree, plainItems, tellError, withNotification } from '../../src/extension/messages.ts';
import { showFailure } from '../../src/extension/notifications.ts';
import { CandidateFile } from '../../src/extension/search/candidateFile.ts';
import { CheckpointsView } from '../../src/extension/search/checkpointsView.ts';
import { isRunPath } from '../../src/extension/search/runPath.ts';
import { RunsView } from '../../src/extension/search/runsView.ts';
import { StatusBar } from '../../src/extension/statusBar.ts';
import { webviewHtml } from '../../src/extension/webviewHtml.ts';
import { WebviewChannel } from '../../src/extension/webviewChannel.ts';
import { fileInside, pathInside } from '../../src/extension/workspaceFile.ts';
import { fromTreeSchema, treeMemorySchema } from '../../src/view/treeMessages.ts';
import type { FromTree, ToTree } from '../../src/view/treeMessages.ts';
import { fromTrySchema } from '../../src/view/tryMessages.ts';
import type { RunSummary } from '../../src/runs/runSummary.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { createRunRecord } from '../../src/runs/runRecord.ts';
import type { MetricSearchPlan } from '../../src/search/metrics/plan.ts';
import { samplePlan } from '../protocol/samples.ts';
import { failureOf } from '../support/expectCoded.ts';
import { commands, told } from '../support/fakeVscode.ts';
import { ACTIVE, renderMarkdown } from '../support/renderMarkdown.ts';
import { syntheticPlan } from '../support/syntheticSearch.ts';

vi.mock('vscode', async () => (await import('../support/fakeVscode.ts')).fakeVscode());

// A repository that one clones brings names, formulas and paths of its author's choice. They are shown, and that is all.

const IMAGE = '![x](https://elsewhere.example/x.png)';
const EVIL = `${IMAGE} <img src="https://elsewhere.example/x.png"> [run](command:workbench.action.terminal.new) $(zap) | \`${IMAGE}\` **b**`;

beforeEach(() => {
  for (const list of [told.messages, told.items, told.progress]) list.length = 0;
});

function expectInert(markdown: unknown): void {
  const { value, isTrusted, supportHtml, supportThemeIcons } = markdown as MarkdownString;
  expect([isTrusted, supportHtml, supportThemeIcons]).toEqual([false, false, false]);
  expect([...renderMarkdown(value).elements].filter((type) => ACTIVE.includes(type))).toEqual([]);
  expect(renderMarkdown(value).text).toContain('https://elsewhere.example/x.png');
}

function expectPlain(text: unknown): void {
  expect(text).toContain('elsewhere.example');
  expect(text).not.toMatch(/\$\([a-z]|[\p{Cc}\u202e]/u);
}

it('in a workspace that is not trusted no command starts a process: those that would say what they need', async () => {
  const explained: string[] = [];
  const ran: string[] = [];
  let id = '';
  // Whatever a command asks of the application is written down, and nothing is done.
  const part: unknown = new Proxy(() => undefined, {
    get: (_, name) => (name === 'then' ? undefined : part),
    apply: () => void ran.push(id),
  });
  const application = {
    get: (_: unknown, name: string) =>
      name === 'then' ? undefined : name === 'explainTrust' ? () => explained.push(id) : part,
  };
  registerCommands(Promise.resolve(new Proxy({}, application) as never));
  const workspace = vscode.workspace as { isTrusted: boolean };
  workspace.isTrusted = false;
  try {
    for (const [name, run] of commands) {
      id = name;
      await run();
    }
  } finally {
    workspace.isTrusted = true;
  }
  expect(explained.sort()).toEqual(
    [
      'compare',
      'evaluate',
      'evolve',
      'exportModel',
      'measureSpeed',
      'recover',
      'restartWorker',
      'resumeRun',
      'sensitivity',
      'setQueuePassword',
      'setUpLanguageModel',
      'showQueue',
      'tryIt',
    ].map((name) => `espalier.${name}`),
  );
  expect(new Set([...explained, ...ran]).size).toBe(commands.size);
  expect(explained.filter((name) => ran.includes(name))).toEqual([]);
});

describe('in the view of runs', () => {
  const view = new RunsView(
    { titleOf: () => ({ title: EVIL, details: [EVIL] }) } as never,
    { drivingOf: () => undefined, queueOf: () => ({ shown: EVIL, workers: [] }), folders: [] } as never,
  );
  const plan = { ...syntheticPlan(), name: `${EVIL}\nsecond line`, model: `/w/${EVIL}` };
  const run = createRunRecord('20261122-100000-x-abc123', plan as MetricSearchPlan, {
    ...{ root: '/w', document: `/w/${EVIL}`, createdAt: new Date(0), versions: {} },
  });
  const summary = {
    ...{ id: run.id, folder: '/w/.espalier/runs/x', run: { folder: '/w/.espalier/runs/x', root: '/w', record: run } },
    ...{ state: 'finished', lastAt: 0, generation: 1, counts: undefined },
    best: { kind: 'metric', perplexity: 100, expression: EVIL },
    notes: { name: EVIL, note: EVIL, problem: EVIL },
  } as unknown as RunSummary;

  it('a formula, a path and a name in a tooltip load nothing', () => {
    const item: TreeItem = view.getTreeItem(summary);
    expectInert(item.tooltip);
    expectPlain(item.label);
    expectPlain(item.description);
    expect(item.label).not.toContain('\n');
  });

  it('neither does the error of a run that cannot be read', () => {
    const error = { code: 'runs/format', operation: EVIL, expected: EVIL, actual: EVIL, remedy: EVIL } as const;
    const item = view.getTreeItem({ id: EVIL, folder: '/w', error });
    expectInert(item.tooltip);
    expectPlain(item.label);
  });
});

it('in the view of checkpoints folders, configs and errors are text', () => {
  const view = new CheckpointsView({
    describe: () => Promise.resolve(undefined),
    densePerplexities: () => [{ perplexity: 1, text: EVIL }],
    named: () => [],
  });
  // A folder may be called so: two slashes make one, which browsers mend.
  const folder = '/w/` ![x](https:/elsewhere.example/x.png) $(zap) [x](https:/elsewhere.example';
  const summary = { architecture: EVIL, blocks: 1, hidden: 1, vocabulary: 1, parameters: 1, prunableParameters: 1 };
  const storedAs = [EVIL];
  const known = view.getTreeItem({
    folder,
    summary: { ...summary, storedAs } as unknown as CheckpointSummary,
    problem: undefined,
  });
  const broken = view.getTreeItem({ folder, summary: undefined, problem: EVIL });
  for (const item of [known, broken]) {
    expectInert(item.tooltip);
    expectPlain(item.label);
    expectPlain(item.description);
  }
});

it('in the status bar a name is no icon, and in its tooltip no picture', () => {
  const { statusBarItem } = vscode as unknown as { statusBarItem: { text: string; tooltip: unknown } };
  const view = { worker: { kind: 'ready', pid: 1 }, device: 'cpu', active: 0 } as const;
  new StatusBar().show({ ...view, checkpoint: EVIL, progress: EVIL });
  expectPlain(statusBarItem.text);
  expectInert(statusBarItem.tooltip);
});

it('in a hover beside a line links run the commands that they say, on the document at hand', () => {
  const shown: { hoverMessage: MarkdownString; renderOptions: { after: { contentText: string } } }[] = [];
  const uri = { toString: () => 'file:///w/a)%20[x](command:evil)/m.prune' };
  const document = { uri, lineCount: 1, lineAt: () => ({ range: { end: 0 } }) };
  const editor = { document, setDecorations: (_: unknown, options: typeof shown) => shown.push(...options) };
  const annotation = {
    line: 0,
    tone: 'result',
    text: `${EVIL}\n\u202eevil`,
    short: EVIL,
    hover: 'ppl',
    exports: 'heads',
    isSmaller: true,
  } as const;
  new Decorations().show(editor as unknown as TextEditor, [annotation], { form: 'full', editors: 1 });
  const [{ hoverMessage, renderOptions }] = shown as [(typeof shown)[0]];
  expect(hoverMessage.isTrusted).toEqual({
    enabledCommands: ['espalier.tryIt', 'espalier.exportModel', 'espalier.recover', 'espalier.measureSpeed'],
  });
  const links = [...hoverMessage.value.matchAll(/\]\(([^)]*)\)/g)].map(([, target]) => target!);
  expect(links).toHaveLength(4);
  for (const target of links) {
    const [command, argument] = target.split('?') as [string, string];
    expect(command).toMatch(/^command:espalier\.(tryIt|exportModel|recover|measureSpeed)$/);
    expect(JSON.parse(decodeURIComponent(argument))).toEqual([{ uri: uri.toString(), name: 'heads' }]);
  }
  expect(renderOptions.after.contentText).not.toMatch(/[\n\u202e]/);
});

it('a view loads its own script and style sheet, and nothing else, whatever its title says', () => {
  const webview = { cspSource: 'https://view.example', asWebviewUri: (uri: object) => uri };
  const html = webviewHtml(
    webview as never,
    'ext' as never,
    'panel',
    `</title><script src="https://elsewhere.example">${EVIL}`,
  );
  const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)!;
  expect(policy!.replace(/nonce-[\w-]{22}/, 'nonce-N').split('; ')).toEqual([
    "default-src 'none'",
    "script-src 'nonce-N'",
    'style-src https://view.example',
    "base-uri 'none'",
    "form-action 'none'",
  ]);
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(html.match(/<img/g)).toBeNull();
});

it('in notifications, questions and their progress there are no links', async () => {
  const failure = new EspalierError({ code: 'io/read', operation: EVIL, expected: EVIL, actual: EVIL, remedy: EVIL });
  showFailure(EVIL, failure.data, {});
  await tellError(EVIL);
  await askModal(EVIL, [`${EVIL}\nforged`]);
  await withNotification(EVIL, (progress) => {
    progress.report({ message: EVIL });
    return Promise.resolve();
  });
  expect([told.messages.length, told.progress.length]).toEqual([3, 2]);
  for (const text of [...told.messages, ...told.progress]) expect(text).not.toMatch(/\]\(/);
  expect(linkFree('[a](command:b) [c]( d')).toBe('[a] (command:b) [c] ( d');
  const [item] = plainItems([{ label: EVIL, description: EVIL, detail: EVIL, value: EVIL }]);
  expect(item!.value).toBe(EVIL);
  for (const text of [item!.label, item!.description, item!.detail]) expect(text).not.toMatch(/\$\([a-z]/);
});

describe('a candidate is written into a .prune file of the run’s own folder', () => {
  let [root, outside] = ['', ''];
  beforeEach(async () => {
    const top = await realpath(await mkdtemp(path.join(tmpdir(), 'espalier-hostile-')));
    [root, outside] = [path.join(top, 'root'), path.join(top, 'outside')];
    for (const folder of [root, outside, path.join(root, '.git')]) await mkdir(folder);
    for (const file of ['own.prune', 'tasks.json', '.git/hook']) await writeFile(path.join(root, file), '');
    await writeFile(path.join(outside, 'other.prune'), '');
    await symlink(path.join(outside, 'other.prune'), path.join(root, 'link.prune'));
    await symlink(outside, path.join(root, 'folder'));
    await symlink(path.join(root, '.git/hook'), path.join(root, 'hook.prune'));
    await symlink(path.join(root, 'own.prune'), path.join(root, 'alias.prune'));
    await symlink('loop.prune', path.join(root, 'loop.prune'));
    await link(path.join(root, 'own.prune'), path.join(root, 'hard.prune'));
    await mkdir(path.join(root, 'folder.prune'));
  });
  afterEach(() => rm(path.dirname(root), { recursive: true }));

  const insert = async (document: string): Promise<EspalierError> => {
    const plan = syntheticPlan();
    const record = createRunRecord('x', plan, { root, createdAt: new Date(0), versions: {} });
    const run = { folder: '', root, record: { ...record, document } } as RunFolder<MetricSearchPlan>;
    const file = new CandidateFile({ outlines: {} as never, evaluate: () => undefined });
    return failureOf(() => file.insert(run, { id: 1 } as never, undefined, 'insert'));
  };

  it.each(['own.prune', 'alias.prune', 'hard.prune', './sub/../own.prune'])('%s is opened', async (document) => {
    expect((await insert(document)).data.actual).toBe('opened');
  });

  it.each([
    '../outside/other.prune',
    'a/../../outside/other.prune',
    '..',
    '.',
    '',
    '/etc/passwd',
    'C:\\Windows\\win.ini',
    '\\\\elsewhere.example\\share\\m.prune',
    '//elsewhere.example/share/m.prune',
    'C:m.prune',
    'own.prune\0.txt',
    'folder/other.prune',
    'link.prune',
    'hook.prune',
    'loop.prune',
    'folder.prune',
    'tasks.json',
    '.git/hook',
    'gone.prune',
  ])('%j is not', async (document) => {
    const error = await insert(document);
    expect([error.code, error.data.actual]).toEqual([
      'runs/not-found',
      'what is no .prune file in the folder of the run',
    ]);
  });

  it('by its name alone nothing outside is looked at', async () => {
    expect(pathInside(root, 'sub/../own.prune')).toBe(path.join(root, 'own.prune'));
    expect(pathInside(root, '..own.prune')).toBe(path.join(root, '..own.prune'));
    expect(pathInside(root, '//elsewhere.example/share/m.prune')).toBeUndefined();
    expect(await fileInside(path.join(root, 'gone'), 'own.prune')).toBeUndefined();
  });
});

it.each([
  ['/w/.espalier/runs/x', true],
  ['/w/.espalier/runs/..', false],
  ['/w/.espalier/runs/x/..', false],
  ['/w/.espalier/runs/', false],
  ['/w/.espalier/runs', false],
  ['/w/x', false],
  ['/', false],
  ['', false],
  ['.espalier/runs/x', false],
])('whatever is handed to a command, %s is opened or deleted as a run: %s', (folder, expected) => {
  expect(isRunPath(folder)).toBe(expected);
});

describe('a message of a view', () => {
  const sent: unknown[] = [];
  const received: FromTree[] = [];
  let say: (message: unknown) => void = () => undefined;
  const webview = {
    postMessage: (message: unknown) => Promise.resolve(Boolean(sent.push(message))),
    onDidReceiveMessage: (listener: typeof say) => {
      say = listener;
      return { dispose: () => (say = () => undefined) };
    },
  };
  const channel = new WebviewChannel<ToTree, FromTree>(webview, fromTreeSchema, (message) => received.push(message));

  it.each([
    { kind: 'ready' },
    { kind: 'select', node: 0, focus: true },
    { kind: 'form', form: 'canonical' },
    { kind: 'layer', tensor: 'model.layers.0.mlp.up_proj.weight' },
    { kind: 'trust' },
  ])('%j of the tree arrives', (message) => {
    say(message);
    expect(received.splice(0)).toEqual([message]);
  });

  it.each([
    undefined,
    'ready',
    [],
    { kind: '__proto__' },
    { kind: 'ready', more: 1 },
    { kind: 'select', node: -1, focus: true },
    { kind: 'select', node: 0.5, focus: true },
    { kind: 'select', node: '0', focus: true },
    { kind: 'select', node: 0 },
    { kind: 'form', form: 'constructor' },
    { kind: 'layer', tensor: 'x'.repeat(5000) },
    { kind: 'layer', tensor: {} },
  ])('%j is none', (message) => {
    say(message);
    expect(received).toEqual([]);
  });

  const asked = { prompt: 'Once', most: 64, temperature: 0.7, seed: 0, stops: ['\n'] };

  it.each([{ kind: 'ready' }, { kind: 'ask', asked }, { kind: 'stop' }, { kind: 'choose' }, { kind: 'forget' }])(
    '%j of Try it arrives',
    (message) => {
      expect(fromTrySchema.safeParse(message).data).toEqual(message);
    },
  );

  it.each([
    { kind: 'ask' },
    { kind: 'ask', asked: { ...asked, prompt: '' } },
    { kind: 'ask', asked: { ...asked, prompt: 'x'.repeat(1_000_001) } },
    { kind: 'ask', asked: { ...asked, most: 1e9 } },
    { kind: 'ask', asked: { ...asked, most: null } },
    { kind: 'ask', asked: { ...asked, temperature: -1 } },
    { kind: 'ask', asked: { ...asked, seed: 0.5 } },
    { kind: 'ask', asked: { ...asked, stops: [''] } },
    { kind: 'ask', asked: { ...asked, stops: Array.from({ length: 9 }, () => 'x') } },
    { kind: 'ask', asked: { ...asked, plan: {} } },
  ])('question %# of Try it is none', (message) => {
    expect(fromTrySchema.safeParse(message).success).toBe(false);
  });

  it('that comes after the view is gone is none', () => {
    channel.post({ kind: 'cursor', node: 1 });
    expect(sent).toEqual([{ kind: 'cursor', node: 1 }]);
    const before = say;
    channel.dispose();
    expect(say).not.toBe(before);
  });

  it('and what it has remembered over a reload are checked alike', () => {
    const form = { form: 'written', tensor: null, direction: 'right', zoom: null } as const;
    const metric = { kind: 'metric', uri: 'file:///w/m.prune', name: 'a' };
    const formula = { kind: 'formula', title: 'x', expression: { kind: 'operand', name: 'W' }, plan: samplePlan() };
    const isTaken = (memory: unknown): boolean => treeMemorySchema.safeParse(memory).success;
    for (const target of [metric, formula]) expect(isTaken({ target, ...form })).toBe(true);
    for (const target of [
      undefined,
      { ...metric, uri: 'command:workbench.action.terminal.new' },
      { ...metric, uri: 'https://elsewhere.example' },
      { ...formula, expression: { kind: 'operand', name: 'constructor' } },
      { ...formula, plan: { model: '/etc' } },
    ])
      expect(isTaken({ target, ...form })).toBe(false);
  });
});
