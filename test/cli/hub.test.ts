import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { CommandContext } from '../../src/cli/commands/commandContext.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { EvaluationPlan } from '../../src/experiment/planSchema.ts';
import { commitOf, HubServer } from '../hub/hubServer.ts';
import { MODEL, noise, temporaryFolder } from '../hub/hubSession.ts';

const ROWS = { 'plain/test-00000-of-00001.parquet': noise(9000, 7) };
let server: HubServer;
let cache: string;
afterEach(() => server.stop());

async function serve(): Promise<void> {
  server = await HubServer.start({ 'models/o/m': { files: MODEL }, 'datasets/o/d': { files: ROWS } });
  cache = path.join(temporaryFolder(onTestFinished), 'hub');
}

/** What the engine is asked, and what is written, with a person who says `yes` or nobody. */
async function run(words: readonly string[], more: Partial<CommandContext> = {}) {
  const plans: EvaluationPlan[] = [];
  const written = { out: '', err: '' };
  const engine = {
    evaluate: (plan: EvaluationPlan) => {
      plans.push(plan);
      return Promise.resolve([]);
    },
    describe: () => Promise.resolve({ modelLength: 16 }),
    tokens: (model: string, text: string) => {
      plans.push({ model, text } as EvaluationPlan);
      return Promise.resolve(new Uint32Array(32));
    },
    dispose: () => Promise.resolve(),
  } as unknown as Engine;
  const code = await runCommandLine(words, {
    terminal: createTerminal(
      { write: (text) => (written.out += text) },
      { write: (text) => (written.err += text) },
      {},
    ),
    folder: '/here',
    signal: new AbortController().signal,
    keys: {},
    shippedPrompts: '',
    createEngine: () => Promise.resolve(engine),
    forkWorker: () => {
      throw new Error('not asked for');
    },
    listDevices: () => Promise.resolve([]),
    variables: { HF_ENDPOINT: server.endpoint, HF_HUB_CACHE: cache },
    ...more,
  });
  return { code, plans, ...written };
}

const snapshot = (): string => path.join(cache, 'models--o--m', 'snapshots', commitOf(MODEL));
const text = (): string =>
  path.join(cache, 'datasets--o--d', 'snapshots', commitOf(ROWS), 'plain', 'test-00000-of-00001.parquet');
const INPUTS = ['--model', 'hf:o/m', '--text', 'hf:o/d/plain:test'];

describe('names on the hub', () => {
  it.each([
    ['evaluate', ['evaluate', ...INPUTS, '--download']],
    ['tokens', ['tokens', ...INPUTS, '--download']],
  ])('%s works on the paths that they stand for', async (_, words) => {
    await serve();
    const { code, plans } = await run(words);
    expect({ code, plans }).toMatchObject({ code: 0, plans: [{ model: snapshot(), text: text() }] });
  });

  it('of a file are asked for on a terminal, each with what it is', async () => {
    await serve();
    const file = path.join(temporaryFolder(onTestFinished), 'a.prune');
    writeFileSync(file, 'defaults { model: "hf:o/m" evaluate: "hf:o/d/plain:test" }\nmetric m = abs(W)\n');
    const questions: string[] = [];
    const ask = (question: string): Promise<boolean> => {
      questions.push(question);
      return Promise.resolve(true);
    };
    const { code, plans } = await run(['evaluate', file], { ask });
    expect({ code, plans }).toMatchObject({ code: 0, plans: [{ model: snapshot(), text: text() }] });
    expect(questions).toEqual([
      `hf:o/m: 7 files, 500 kB, from ${server.endpoint} to ${cache}. Fetch it?`,
      `hf:o/d/plain:test: 1 file, 9 kB, from ${server.endpoint} to ${cache}. Fetch it?`,
    ]);
  });

  it('without a person and without --download are an error that names both ways', async () => {
    await serve();
    const { code, err, plans } = await run(['evaluate', ...INPUTS]);
    expect({ code, plans }).toEqual({ code: 2, plans: [] });
    expect(err).toMatch(/nobody to ask.*Add --download, or fetch it by itself: `espalier hub download hf:o\/m`/s);
  });

  it('open no connection with HF_HUB_OFFLINE', async () => {
    await serve();
    const variables = { HF_ENDPOINT: server.endpoint, HF_HUB_CACHE: cache, HF_HUB_OFFLINE: '1' };
    const { code, out } = await run(['evaluate', ...INPUTS, '--download', '--json'], { variables });
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'hub/offline' } });
    expect(server.seen).toEqual([]);
  });

  it('that are none are an error', async () => {
    await serve();
    const { code, err } = await run(['evaluate', '--model', 'hf:o/../m', ...INPUTS.slice(2)]);
    expect(code).toBe(2);
    expect(err).toMatch(/--model with a folder, or hf:owner\/name, got "hf:o\/\.\.\/m": "\.\."/);
  });
});

describe('espalier hub', () => {
  it('fetches what is named, prints its path, and lists what there is', async () => {
    await serve();
    expect(await run(['hub'])).toMatchObject({ code: 0, out: `nothing in ${cache}\n` });
    expect(await run(['hub', 'download', 'hf:o/m'])).toMatchObject({ code: 0, out: `${snapshot()}\n` });
    expect(await run(['hub', 'download', 'hf:o/d/plain:test'])).toMatchObject({ code: 0, out: `${text()}\n` });
    const begun = path.join(cache, 'models--o--begun');
    mkdirSync(path.join(begun, 'blobs'), { recursive: true });
    writeFileSync(path.join(begun, 'blobs', 'abc.free.01234567.incomplete'), Buffer.alloc(2000));
    mkdirSync(path.join(cache, '.locks'));
    const { out } = await run(['hub', 'list']);
    const rows = out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows[0]).toEqual(['what', 'name', 'on disk', 'last used', 'commit']);
    const named = new Map(
      rows.slice(1).map(([what, name, bytes, , commit, state]) => [name, [what, bytes, commit, state]]),
    );
    expect(Object.fromEntries(named)).toEqual({
      'o/m': ['model', '500 kB', commitOf(MODEL).slice(0, 7), undefined],
      'o/d': ['data set', '9 kB', commitOf(ROWS).slice(0, 7), undefined],
      'o/begun': ['model', '2 kB', '–', 'incomplete: a download was stopped'],
    });
    const json = (await run(['hub', '--json'])).out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(json).toContainEqual(
      expect.objectContaining({
        id: 'o/m',
        complete: true,
        refs: { main: commitOf(MODEL) },
        commits: [commitOf(MODEL)],
      }),
    );
  });

  it('asks a person who is there, and a no leaves nothing', async () => {
    await serve();
    const { code, err } = await run(['hub', 'download', 'hf:o/m'], { ask: () => Promise.resolve(false) });
    expect(code).toBe(2);
    expect(err).toMatch(/got a no to 7 files/);
    expect(() => readdirSync(cache)).toThrow('ENOENT');
  });
});
