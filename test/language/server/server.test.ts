import { pathToFileURL } from 'node:url';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node.js';
import type { MessageConnection } from 'vscode-jsonrpc/node.js';
import { createConnection } from 'vscode-languageserver/node.js';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { compile } from '../../../src/language/check/compile.ts';
import {
  HUB_NAMES_NOTIFICATION,
  OUTLINE_NOTIFICATION,
  PLAN_REQUEST,
  SEARCH_PLAN_REQUEST,
} from '../../../src/language/server/messages.ts';
import type {
  HubNamesParams,
  OutlineChange,
  OutlineParams,
  PlanResult,
  SearchPlanResult,
} from '../../../src/language/server/messages.ts';
import { complete } from '../../../src/language/server/completion.ts';
import {
  definition,
  highlights,
  hover,
  references,
  renamable,
  rename,
} from '../../../src/language/server/navigation.ts';
import { changedOutline } from '../../../src/language/server/outlineChange.ts';
import { startServer } from '../../../src/language/server/server.ts';
import { documentSymbols, foldingRanges } from '../../../src/language/server/symbols.ts';
import { cursor } from '../marked.ts';
import { SAMPLE } from '../samples.ts';

const HEAD =
  'model tiny = "m"\ncorpus test = "t"\ncorpus calib = "c"\nparameter half = 0.5\nmetric wanda(alpha = half) = W * X ^ alpha\n';

describe('completion', () => {
  const table: [text: string, includes: string[], excludes: string[]][] = [
    ['|', ['metric', 'model', 'experiment', 'defaults'], ['sqrt', 'W']],
    ['metric a = W\n|', ['metric', 'parameter'], ['sqrt']],
    ['metric a = W\nme|', ['metric'], ['W']],
    ['metric |', [], ['metric', 'W']],
    [`${HEAD}metric a = |`, ['W', 'X', 'G', 'sqrt', 'wanda', 'half'], ['tiny', 'a', 'metric']],
    [`${HEAD}metric a = W * s|`, ['sqrt', 'wanda'], ['test']],
    [`${HEAD}metric a = W |`, [], ['sqrt']],
    [`${HEAD}metric wanda = X\nmetric a = |`, ['wanda'], []],
    [`${HEAD}metric a(beta = 1) = W * |`, ['beta', 'half'], ['alpha']],
    [`${HEAD}metric a = wanda(|`, ['alpha:', 'half', 'W'], []],
    [`${HEAD}metric a = W // s|`, [], ['sqrt']],
    [`${HEAD}parameter b = |`, ['half', 'sqrt'], ['W', 'wanda', 'b']],
    [`${HEAD}model b = "|`, [], ['W']],
    [`${HEAD}experiment e { | }`, ['model', 'prune', 'samples', 'calibration'], ['W', 'metric']],
    [`${HEAD}experiment e { model: tiny | }`, ['evaluate', 'prune'], ['model', 'tiny']],
    [`${HEAD}experiment e { model: | }`, ['tiny'], ['test', 'model']],
    [`${HEAD}experiment e { evaluate: t| }`, ['test', 'calib'], ['tiny']],
    [`${HEAD}experiment e { calibrate: calib (| }`, ['samples', 'length', 'offsets', 'seed'], ['blocks', 'W']],
    [`${HEAD}experiment e { calibrate: calib (samples: 3, | }`, ['length'], ['samples']],
    [`${HEAD}experiment e { calibrate: calib (offsets: | }`, ['even', 'random'], ['samples']],
    [`${HEAD}experiment e { prune: | }`, ['wanda', 'W', 'sqrt'], ['tiny', 'at']],
    [`${HEAD}experiment e { prune: wanda, | }`, ['wanda', 'abs'], ['at']],
    [`${HEAD}experiment e { prune: wanda | }`, ['at', 'model'], ['prune', 'sqrt']],
    [`${HEAD}experiment e { prune: wanda(| }`, ['alpha:'], ['at']],
    [`${HEAD}experiment e { at: | }`, ['50%', '2:4'], []],
    [`${HEAD}experiment e { device: | }`, ['auto', 'cpu', 'webgpu'], ['model']],
    [`${HEAD}experiment e { length: | }`, ['0'], []],
    [`${HEAD}defaults { | }`, ['model', 'at'], ['prune']],
    [`${HEAD}experiment e { model: tiny }\n|`, ['metric'], ['at']],
    [`${HEAD}search s { | }`, ['model', 'test', 'at', 'operands', 'from', 'population', 'samples'], ['prune', 'W']],
    [`${HEAD}search s { model: tiny seed: 1 | }`, ['evaluate', 'elites'], ['model', 'seed']],
    [`${HEAD}search s { calibrate: calib (| }`, ['samples', 'seed'], ['population']],
    [`${HEAD}search s { calibrate: calib (offsets: | }`, ['even', 'random'], ['samples']],
    [`${HEAD}search s { operands: W, | }`, ['X', 'G'], ['sqrt', 'wanda']],
    [`${HEAD}search s { operations: m| }`, ['mul', 'mms'], ['W', 'wanda']],
    [`${HEAD}search s { from: | }`, ['wanda', 'W', 'sqrt'], ['at', 'tiny']],
    [`${HEAD}search s { from: wanda, | }`, ['wanda', 'abs'], ['at']],
    [`${HEAD}search s { test: | }`, ['test', 'calib'], ['tiny']],
    [`${HEAD}search s { at: | }`, ['50%', '2:4'], []],
    [`${HEAD}search s { method: | }`, ['pruner-zero', 'random'], ['model']],
    [`${HEAD}search s { crossover: | }`, ['0.5'], []],
    [`${HEAD}search s { population: 3 }\n|`, ['metric', 'search'], ['at']],
  ];
  it.each(table)('%j', (marked, includes, excludes) => {
    const { document, source, offset } = cursor(marked);
    const labels = complete(document, source, offset).map(({ label }) => label);
    expect(labels).toEqual(expect.arrayContaining(includes));
    expect(labels.filter((label) => excludes.includes(label))).toEqual([]);
    if (includes.length === 0) expect(labels).toEqual([]);
    expect(new Set(labels).size).toBe(labels.length);
  });

  it('replaces the word before the cursor', () => {
    const { document, source, offset } = cursor(`${HEAD}metric a = W * sq|`);
    const item = complete(document, source, offset).find(({ label }) => label === 'sqrt');
    expect(item?.textEdit).toEqual({
      range: { start: source.positionAt(offset - 2), end: source.positionAt(offset) },
      newText: 'sqrt($1)$0',
    });
  });
});

describe('hover', () => {
  it.each([
    ['metric a = W * sq|rt(X)', ['sqrt(x)', '`sqrt(|x|)`', 'Guarded square root.']],
    ['metric a = |W', ['W: [out, in]', '`|w_ij|`', 'Magnitude of the weight']],
    ['metric a = Xvar|', ['[1, in]', 'Needs calibration (sum, sum of squares, token count)']],
    [
      `${HEAD}/// Mine.\nmetric a| = wanda(2)`,
      ['metric a = wanda(2)', 'Mine.', 'In full: `W * X ^ 2`, [out, in], from W, X.'],
    ],
    [`${HEAD}metric a = wanda(al|pha: 2)`, ['alpha = 0.5', 'Parameter of the metric `wanda`']],
    [`${HEAD}metric a = W * ha|lf`, ['parameter half = 0.5', 'Value: 0.5']],
    [`${HEAD}experiment e { model: ti|ny }`, ['model tiny = "m"']],
    [`${HEAD}experiment e { cali|bration: one-shot }`, ['calibration: sequential', 'Default: `sequential`']],
    [`${HEAD}experiment e { threads|: 2 }`, ['Does not change the numbers']],
    [`${HEAD}experiment |e { model: tiny evaluate: test prune: W at: 2:4 }`, ['Prunes with `W` at 2:4.']],
    [
      `${HEAD}search |s { model: tiny from: wanda population: 7 }`,
      ['Genetic programming from `wanda` and random trees', '20 generations of 7 metrics'],
    ],
    [`${HEAD}search s { |seed: 1 calibrate: calib (seed: 2) }`, ['Seed of everything random in the search']],
    [`${HEAD}search s { seed: 1 calibrate: calib (se|ed: 2) }`, ['Seed of the random offsets']],
    [`${HEAD}search s { workers|: 1 }`, ['Does not change what is found']],
    [`${HEAD}search s { operations: mu|l }`, ['mul(x, y)', 'Product']],
    [
      'metric a = W * sqrt(X)\nmetric |b = mms(W * W * X)',
      ['Ranks as `sqr(W) * X`, because', 'mms at the root keeps the ranking', 'Same ranking as `a`.'],
    ],
    ['metric a = fo|o', undefined],
  ])('%j', (marked, parts) => {
    const { document, source, offset } = cursor(marked);
    const value = hover(document, source, offset)?.contents;
    if (parts === undefined) expect(value).toBeUndefined();
    else for (const part of parts) expect(value).toMatchObject({ value: expect.stringContaining(part) as string });
  });
});

describe('navigation', () => {
  const marked = `parameter p = 1
metric a(q = p) = W * q + p
metric b = a(q: 2) - a|
experiment e { model: "m" evaluate: "t" calibrate: "c" prune: a, b at: 50% }`;

  it('finds the declaration and every use', () => {
    const { document, source, offset, text } = cursor(marked);
    const at = (location: { range: { start: { line: number; character: number } } }): string =>
      `${location.range.start.line}:${location.range.start.character}`;
    expect(at(definition(document, source, offset)!)).toBe('1:7');
    expect(references(document, source, offset, true).map(at)).toEqual(['1:7', '2:11', '2:21', '3:62']);
    expect(references(document, source, offset, false).map(at)).toEqual(['2:11', '2:21', '3:62']);
    expect(references(document, source, text.indexOf('q: 2'), true).map(at)).toEqual(['1:9', '1:22', '2:13']);
    expect(references(document, source, text.indexOf('W'), true).map(at)).toEqual(['1:18']);
    expect(highlights(document, source, offset).map(({ kind }) => kind)).toEqual([3, 2, 2, 2]);
  });

  it.each([
    ['metric |a = W\nmetric b = a + a', 'c', 'metric c = W\nmetric b = c + c'],
    ['metric a(p| = 1) = W * p\nmetric b = a(p: 2)', 'α', 'metric a(α = 1) = W * α\nmetric b = a(α: 2)'],
    [
      'parameter |p = 1\nmetric a(p = p) = W * p\nmetric b = X * p',
      'q',
      'parameter q = 1\nmetric a(p = q) = W * p\nmetric b = X * q',
    ],
    ['metric a = b +\nmetric b| = W', 'c', 'metric a = c +\nmetric c = W'],
    ['model |m = "m"\nsearch s { model: m }', 'big', 'model big = "m"\nsearch s { model: big }'],
    ['metric |a = W', 'model', 'metric model = W'],
    [
      'metric |a = W - X\nsearch s { from: a, a * 2 baselines: a }',
      'b',
      'metric b = W - X\nsearch s { from: b, b * 2 baselines: b }',
    ],
    ['corpus |c = "c"\nsearch s { evaluate: c test: c }', 'd', 'corpus d = "c"\nsearch s { evaluate: d test: d }'],
    ['search |s { }', 'found', 'search found { }'],
    [
      'metric |a = W - X\nexperiment e { prune: structure(a, owl), weights(metric: a * 2, rates: [0.1]), a-x }',
      'b',
      'metric b = W - X\nexperiment e { prune: structure(b, owl), weights(metric: b * 2, rates: [0.1]), b-x }',
    ],
    [
      'search r { method: self-pruner target: weights(a) } search m { method: policy-gradient score: a baselines: a, structure(a) }\nmetric |a = W',
      'b',
      'search r { method: self-pruner target: weights(b) } search m { method: policy-gradient score: b baselines: b, structure(b) }\nmetric b = W',
    ],
  ])('renames in %j', (text, newName, expected) => {
    const { document, source, offset } = cursor(text);
    expect(renamable(document, source, offset)).toBeDefined();
    const result = rename(document, source, offset, newName);
    expect('edits' in result && TextDocument.applyEdits(source, result.edits)).toBe(expected);
  });

  it.each([
    ['metric |a = W\nmetric b = X', 'b'],
    ['metric |a = W', 'X'],
    ['metric |a = W', 'sqrt'],
    ['metric |a = W', '2a'],
    ['metric |a = W', 'a b'],
    ['parameter |p = 1\nmetric a(q = 1) = W * q * p', 'q'],
    ['metric a(|q = 1) = W * q * p\nparameter p = 1', 'p'],
    ['metric a = |W', 'b'],
    ['metric a = W |', 'b'],
    // The method would be meant, or the clause no longer be one.
    ['metric |a = W\nexperiment e { prune: structure(a) }', 'flap'],
    ['metric |a = W\nexperiment e { prune: structure(a) }', 'structure'],
    ['metric a = W\nexperiment e { prune: structure(fl|ap) }', 'a'],
  ])('does not rename %j to %s', (text, newName) => {
    const { document, source, offset } = cursor(text);
    expect(rename(document, source, offset, newName)).toHaveProperty('refusal');
  });

  it('lists the declarations, and folds them', () => {
    const source = TextDocument.create('file:///a.prune', 'prune', 1, SAMPLE);
    const symbols = documentSymbols(compile(SAMPLE), source);
    expect(symbols.map(({ name, detail }) => `${name} ${detail ?? ''}`.trim())).toEqual([
      'tiny models/tiny',
      'test data/test.txt',
      'calib /data/calib.txt',
      'defaults',
      'half 0.5',
      'wanda metric',
      'scaled metric',
      'pruner_zero metric',
      'mixed metric',
      'halves experiment',
      'dense experiment',
      'evolved search',
      'heads experiment',
      'rates search',
      'layers search',
      'masks search',
      'c4 data/c4.json.gz',
      'magnitude metric',
      'table experiment',
    ]);
    expect(symbols[9]?.children?.map(({ name, detail }) => `${name} = ${detail ?? ''}`)).toEqual([
      'model = tiny',
      'evaluate = test (blocks: 64)',
      'prune = wanda, scaled(0.3), scaled(alpha: 0.7), abs(W)',
      'at = 50%, 2:4, 0.25',
      'group = layer',
      'calibration = one-shot',
    ]);
    expect(foldingRanges(compile(SAMPLE), source).map(({ startLine, endLine }) => [startLine, endLine])).toEqual([
      [19, 25],
      [29, 34],
      [37, 42],
      [44, 48],
      [50, 53],
      [55, 59],
      [64, 68],
      [11, 13],
    ]);
  });
});

describe('the server', () => {
  let client: MessageConnection | undefined;
  afterEach(() => client?.dispose());

  it('answers an editor', async () => {
    client = connect();
    const uri = pathToFileURL('/project/a.prune').href;
    const diagnostics = new Inbox<{ version: number; diagnostics: { code: string; data?: unknown }[] }>();
    const outlines = new Inbox<OutlineParams>();
    client.onNotification('textDocument/publishDiagnostics', (params) => {
      diagnostics.put(params as never);
    });
    let held: OutlineParams | undefined;
    const told: number[] = [];
    client.onNotification(OUTLINE_NOTIFICATION, (change: OutlineChange) => {
      told.push(change.declarations.length);
      held = changedOutline(held, change);
      outlines.put(held);
    });
    client.listen();
    const { capabilities } = await client.sendRequest<{ capabilities: object }>('initialize', {
      processId: null,
      rootUri: null,
      capabilities: {},
    });
    expect(capabilities).toMatchObject({ hoverProvider: true, renameProvider: { prepareProvider: true } });
    await client.sendNotification('initialized', {});
    const text = `${HEAD}metric a = tnah(W)\nexperiment e { model: tiny evaluate: test calibrate: calib prune: wanda at: 50% }`;
    await client.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId: 'prune', version: 1, text },
    });
    expect((await diagnostics.take()).diagnostics.map(({ code }) => code)).toEqual(['name/unknown']);
    const first = await outlines.take();
    expect(first.declarations.map(({ name, evaluable }) => [name, evaluable])).toEqual([
      ['tiny', false],
      ['test', false],
      ['calib', false],
      ['half', false],
      ['wanda', true],
      ['a', false],
      ['e', true],
    ]);
    expect(first.declarations[4]).toMatchObject({
      kind: 'metric',
      nameRange: { start: { line: 4, character: 7 }, end: { line: 4, character: 12 } },
      planKey: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });

    const actions = await client.sendRequest<{ title: string }[]>('textDocument/codeAction', {
      textDocument: { uri },
      range: { start: { line: 5, character: 11 }, end: { line: 5, character: 11 } },
      context: { diagnostics: [] },
    });
    expect(actions.map(({ title }) => title)).toEqual(['Replace with `tanh`']);

    // The mistake is mended by a keystroke.
    await client.sendNotification('textDocument/didChange', {
      textDocument: { uri, version: 2 },
      contentChanges: [{ range: { start: { line: 5, character: 11 }, end: { line: 5, character: 15 } }, text: 'abs' }],
    });
    expect(await diagnostics.take()).toMatchObject({
      version: 2,
      diagnostics: [{ code: 'metric/root-keeps-ranking' }],
    });
    const second = await outlines.take();
    expect(second.declarations.find(({ name }) => name === 'a')?.evaluable).toBe(true);
    expect(second.declarations[4]?.planKey).toBe(first.declarations[4]?.planKey);
    // Of the metric that changed alone.
    expect(told).toEqual([7, 1]);

    const plan = await client.sendRequest<PlanResult>(PLAN_REQUEST, { uri, name: 'wanda' });
    expect(plan).toMatchObject({
      plans: [{ model: '/project/m', text: '/project/t', evaluations: [{ metric: 'wanda' }] }],
    });
    const missing = await client.sendRequest<PlanResult>(PLAN_REQUEST, { uri, name: 'wnada' });
    expect(missing).toMatchObject({ error: { code: 'language/no-such-declaration' } });
    const search = await client.sendRequest<SearchPlanResult>(SEARCH_PLAN_REQUEST, {
      uri,
      from: 'wanda',
      fallback: { search: { population: 6 } },
    });
    expect(search).toMatchObject({
      plan: { name: 'wanda_evolved', model: '/project/m', seeds: [{ metric: 'wanda' }], search: { population: 6 } },
    });
    expect(await client.sendRequest<SearchPlanResult>(SEARCH_PLAN_REQUEST, { uri })).toMatchObject({
      error: { code: 'language/no-such-declaration' },
    });
    expect(await client.sendRequest<PlanResult>(PLAN_REQUEST, { uri: 'untitled:x', name: 'a' })).toMatchObject({
      error: { code: 'io/read' },
    });

    const named = { kind: 'model', reference: 'hf:o/m', bytes: 1, used: 0, isComplete: true } as const;
    await client.sendNotification(HUB_NAMES_NOTIFICATION, { names: [named] } satisfies HubNamesParams);
    const quoted = { textDocument: { uri }, position: { line: 0, character: 'model tiny = "'.length } };
    expect(await client.sendRequest('textDocument/completion', quoted)).toMatchObject([{ label: 'hf:o/m' }]);
    expect(
      await client.sendRequest('textDocument/completion', {
        ...quoted,
        position: { line: 0, character: 'model tiny = "m"'.length },
        context: { triggerKind: 2, triggerCharacter: '"' },
      }),
    ).toEqual([]);

    const position = { line: 4, character: 8 };
    await expect(
      client.sendRequest('textDocument/rename', { textDocument: { uri }, position, newName: 'a' }),
    ).rejects.toThrow('stands for something else');
    for (const method of ['hover', 'completion', 'definition', 'documentHighlight', 'prepareRename']) {
      expect(await client.sendRequest(`textDocument/${method}`, { textDocument: { uri }, position })).not.toBeNull();
    }
    for (const method of ['documentSymbol', 'foldingRange', 'semanticTokens/full']) {
      expect(await client.sendRequest(`textDocument/${method}`, { textDocument: { uri } })).not.toBeNull();
    }
    expect(
      await client.sendRequest('textDocument/hover', { textDocument: { uri: 'file:///none' }, position }),
    ).toBeNull();
    const options = { tabSize: 2, insertSpaces: true };
    const all = { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } };
    const laidOut = [
      ['formatting', { options }],
      ['rangeFormatting', { options, range: all }],
      ['onTypeFormatting', { options, position: { line: 6, character: 81 }, ch: '}' }],
    ] as const;
    for (const [method, params] of laidOut) {
      const edits = await client.sendRequest<unknown[]>(`textDocument/${method}`, { textDocument: { uri }, ...params });
      expect(edits.length, method).toBeGreaterThan(0);
    }
    const inCall = { line: 5, character: 15 };
    expect(
      await client.sendRequest('textDocument/signatureHelp', { textDocument: { uri }, position: inCall }),
    ).toMatchObject({ signatures: [{ label: 'abs(x)' }] });

    await client.sendNotification('textDocument/didClose', { textDocument: { uri } });
    expect((await diagnostics.take()).diagnostics).toEqual([]);
  });
});

function connect(): MessageConnection {
  const [up, down] = [new PassThrough(), new PassThrough()];
  startServer(createConnection(new StreamMessageReader(up), new StreamMessageWriter(down)));
  return createMessageConnection(new StreamMessageReader(down), new StreamMessageWriter(up));
}

/** Messages in the order in which they come. */
class Inbox<Message> {
  private readonly messages: Message[] = [];
  private readonly waiting: ((message: Message) => void)[] = [];

  put(message: Message): void {
    const waiter = this.waiting.shift();
    if (waiter) waiter(message);
    else this.messages.push(message);
  }

  take(): Promise<Message> {
    const message = this.messages.shift();
    return message ? Promise.resolve(message) : new Promise((resolve) => this.waiting.push(resolve));
  }
}
