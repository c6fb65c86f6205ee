import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../src/cli/commands/commandContext.ts';
import { runsCommand } from '../../src/cli/commands/runsCommand.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { RunLibrary } from '../../src/extension/search/runLibrary.ts';
import type { SearchPlan } from '../../src/search/kinds.ts';
import { Journal } from '../../src/runs/journal.ts';
import { encodeLine, firstLink } from '../../src/runs/journalLine.ts';
import { evaluationOfRun } from '../../src/runs/runEvaluation.ts';
import { createRun, JOURNAL_FILE, openRun, RUN_FILE, RUNS_FOLDER } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { listedRun } from '../../src/runs/runSummary.ts';
import { FakeClock } from '../extension/fakeWorker.ts';
import { sampleMaskPlan, sampleRatePlan, sampleSearchPlan } from '../protocol/samples.ts';
import { failureOf } from '../support/expectCoded.ts';

/*
 * Runs that this version does not understand, beside one that it does: each fails by itself, with its name, in the list, in JSON, in
 * the editor, when it is shown and when it goes on.
 */

const AT = new Date(1763804575000);

let root: string;
let good: RunFolder;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'espalier-newer-'));
  good = await begin();
});

afterEach(() => rm(root, { recursive: true, force: true }));

const begin = (plan: SearchPlan = sampleSearchPlan()): Promise<RunFolder> =>
  createRun(plan, { root, createdAt: AT, versions: { espalier: '0.1.0' } });

async function runs(...words: string[]): Promise<{ out: string; err: string; code: number }> {
  const written = { out: '', err: '', code: -1 };
  const stream = (name: 'out' | 'err') => ({ write: (text: string) => ((written[name] += text), true), isTTY: false });
  const terminal = createTerminal(stream('out'), stream('err'), {});
  const context = { terminal, folder: root, finish: (code: number) => (written.code = code) };
  await runsCommand(context as unknown as CommandContext).parseAsync(words, { from: 'user' });
  return written;
}

interface Listed {
  readonly id: string;
  readonly state: string;
  readonly error?: { readonly code: string; readonly actual: string; readonly remedy: string; readonly file?: string };
}

async function listed(): Promise<readonly Listed[]> {
  const { out, code } = await runs('list', '--json');
  expect(code).toBe(0);
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Listed);
}

/** The good run is listed as ever, in every way; the other is told of by its name. */
async function expectOnly(bad: RunFolder, state: string): Promise<Listed> {
  const all = await listed();
  expect(all).toHaveLength(2);
  expect(all.find(({ id }) => id === good.record.id)).toMatchObject({ state: 'interrupted' });
  const found = all.find(({ folder }: Listed & { folder?: string }) => folder === bad.folder)!;
  expect(found).toMatchObject({ id: path.basename(bad.folder), state });
  const { out, err, code } = await runs('list');
  expect(code).toBe(0);
  expect(out).toContain(good.record.id);
  expect(out).toContain(found.id);
  expect(err).toContain(found.id);
  expect(err).toContain(found.error!.remedy);
  const library = new RunLibrary({ roots: () => [root], clock: new FakeClock(), onChange: () => undefined });
  await library.load();
  expect(library.runs.map(({ id }) => id).sort()).toEqual([good.record.id, found.id].sort());
  return found;
}

describe('a run.json of a newer version', () => {
  const edit = async (run: RunFolder, change: (text: string) => string): Promise<string> => {
    const file = path.join(run.folder, RUN_FILE);
    const text = await readFile(file, 'utf8');
    const changed = change(text);
    expect(changed).not.toBe(text);
    await writeFile(file, changed);
    return file;
  };

  it.each<[string, () => SearchPlan, (text: string) => string, string]>([
    [
      'an operation',
      sampleSearchPlan,
      (text) => text.replace('"operations": [', '"operations": ["softmax",'),
      '"softmax"',
    ],
    ['an operand', sampleSearchPlan, (text) => text.replace('"operands": [', '"operands": ["H",'), '"H"'],
    ['a way to search', sampleSearchPlan, (text) => text.replace('"pruner-zero"', '"annealing"'), '"annealing"'],
    [
      'a setting',
      sampleSearchPlan,
      (text) => text.replace('"settings": {', '"settings": { "reconstruct": "admm",'),
      'reconstruct',
    ],
    [
      'a setting of searches',
      sampleSearchPlan,
      (text) => text.replace('"search": {', '"search": { "islands": 4,'),
      'islands',
    ],
    ['a member', sampleSearchPlan, (text) => text.replace('{', '{ "notes": "mine",'), 'notes'],
    ['a kind of search', sampleRatePlan, (text) => text.replace('"rates"', '"adapters"'), '"adapters"'],
    ['a provider', sampleRatePlan, (text) => text.replace(/"provider": "[^"]*"/, '"provider": "oracle"'), '"oracle"'],
    ['a sparsity', sampleMaskPlan, (text) => text.replace('"unstructured"', '"block"'), '"block"'],
    ['a format', sampleSearchPlan, (text) => text.replace('espalier-run-2', 'espalier-run-3'), '"espalier-run-3"'],
  ])('with %s is named, and says which version', async (_, plan, change, named) => {
    const bad = await begin(plan());
    const file = await edit(bad, (text) => change(text).replace('"espalier": "0.1.0"', '"espalier": "0.12.3"'));
    const { error } = await expectOnly(bad, 'unreadable');
    expect(error).toMatchObject({ code: 'runs/format', file, remedy: 'Update Espalier.' });
    expect(error!.actual).toContain('a newer version, 0.12.3');
    expect(error!.actual).toContain(named);
    expect(error!.actual).not.toMatch(/Invalid|discriminator|undefined/);
    expect((await failureOf(() => runs('show', bad.record.id))).data).toEqual(error);
  });

  it('of this version that was changed is not called newer', async () => {
    const bad = await begin();
    await edit(bad, (text) => text.replace('"operations": [', '"operations": ["softmax",'));
    const { error } = await expectOnly(bad, 'unreadable');
    expect(error!.actual).toContain('"softmax"');
    expect(error!.actual).not.toContain('newer');
  });
});

describe('a journal', () => {
  const opened = { kind: 'paused' } as const;
  const candidate = {
    ...{ kind: 'candidate', id: 0, generation: 0, operator: 'grow', parents: [], size: 1, depth: 1 },
    ...{ expression: 'W', outcome: { kind: 'full', perplexity: 20 } },
  };

  /** Lines with valid checks, of whatever event. @param events or, as text, what stands in the place of an event */
  async function write(run: RunFolder, events: readonly unknown[], at: unknown = 7): Promise<void> {
    let link = firstLink(run.record);
    let text = '';
    for (const [seq, event] of events.entries()) {
      const { line, next } = encodeLine({ seq, at: at as number, event: event as never }, link);
      [text, link] = [text + line, next];
    }
    await writeFile(path.join(run.folder, JOURNAL_FILE), text);
  }

  it.each<[string, object, string]>([
    ['a metric with an operation', { ...candidate, expression: 'softmax(W)' }, 'expression'],
    ['a metric with an operand', { ...candidate, expression: 'mul(W, H)' }, 'expression'],
    ['a metric with another arity', { ...candidate, expression: 'mul(W, X, G)' }, 'expression'],
    ['a way to make candidates', { ...candidate, operator: 'annealed' }, 'annealed'],
    ['an outcome', { ...candidate, outcome: { kind: 'predicted' } }, 'predicted'],
    ['an event', { kind: 'islands-merged', islands: 3 }, 'islands-merged'],
    ['a member', { ...candidate, novelty: 3 }, 'novelty'],
    ['no event', { no: 1 }, 'kind'],
  ])(
    'with %s that is unknown here is of a newer version, and the run is shown up to there',
    async (_, event, named) => {
      const bad = await begin();
      await write(bad, [opened, candidate, event, opened]);
      const file = path.join(bad.folder, JOURNAL_FILE);
      const { error } = await expectOnly(bad, 'damaged');
      expect(error).toMatchObject({ code: 'runs/damaged', file, operation: `reading line 3 of ${file}` });
      expect(error!.actual).toContain('written by a newer one');
      expect(error!.actual).toContain(named);
      expect(error!.remedy).toContain('Update Espalier');
      const shown = await runs('show', bad.record.id, '--json');
      expect(shown.code).toBe(1);
      expect(JSON.parse(shown.out)).toMatchObject({ state: 'damaged', error: { actual: error!.actual } });
      expect((await runs('show', bad.record.id)).err).toContain('line 3');
      for (const act of [
        () => Journal.open(file, bad.record, { now: () => 1 }),
        async () => evaluationOfRun(await openRun(bad.folder)),
      ]) {
        expect((await failureOf(act)).data).toMatchObject({ code: 'runs/damaged', file });
      }
    },
  );

  it.each<[string, unknown, unknown]>([
    ['a time that no date has', candidate, 1e300],
    ['a time before all time', candidate, -9e15],
    ['no time', candidate, 'now'],
    ['a deep nest', JSON.parse('['.repeat(900) + ']'.repeat(900)), 7],
    ['a number without an end', { ...candidate, outcome: { kind: 'full', perplexity: -1 } }, 7],
  ])('with %s in it hides no other run', async (_, event, at) => {
    const bad = await begin();
    await write(bad, [event], at);
    const { error } = await expectOnly(bad, 'damaged');
    expect(error!.code).toBe('runs/damaged');
  });

  it('that ends with an infinite number, and with a nest that exhausts the stack, hides no other run', async () => {
    for (const event of ['{"kind":"paused","x":1e999}', '['.repeat(100_000) + ']'.repeat(100_000)]) {
      const bad = await begin();
      const body = `{"seq":0,"at":7,"event":${event}`;
      const { createHash } = await import('node:crypto');
      const check = createHash('sha256').update(firstLink(bad.record).check).update(body).digest('hex').slice(0, 16);
      await writeFile(path.join(bad.folder, JOURNAL_FILE), `${body},"check":"${check}"}\n`);
      const { error } = await expectOnly(bad, 'damaged');
      expect(error!.actual).toContain('does not know');
      await rm(bad.folder, { recursive: true });
    }
  });

  it('that is damaged before its end is told of when all of it is read', async () => {
    const bad = await begin();
    await write(bad, [opened, { kind: 'invented' }, ...Array.from({ length: 4000 }, () => candidate)]);
    const [inList] = (await listed()).filter(({ id }) => id === bad.record.id);
    expect(inList!.state).not.toBe('unreadable');
    const shown = await runs('show', bad.record.id, '--json');
    expect(JSON.parse(shown.out)).toMatchObject({ state: 'damaged', error: { code: 'runs/damaged' } });
  });
});

describe('what is no run', () => {
  it('an empty folder, and one with a run.json that is none, are told of by name', async () => {
    for (const contents of [undefined, '', '{', '[]', '{"id": "x"}']) {
      const folder = path.join(root, RUNS_FOLDER, 'bad');
      await mkdir(folder);
      if (contents !== undefined) await writeFile(path.join(folder, RUN_FILE), contents);
      const { error } = await expectOnly({ ...good, folder }, 'unreadable');
      expect(error!.code).toBe(contents === undefined ? 'runs/not-found' : 'runs/format');
      await rm(folder, { recursive: true });
    }
  });

  it('a folder that vanishes while the list is read is left out', async () => {
    expect(await listedRun(path.join(root, RUNS_FOLDER, 'gone'))).toBeUndefined();
  });

  it.skipIf(process.getuid?.() === 0)('one that may not be read is told of by name', async () => {
    for (const name of [RUN_FILE, '']) {
      const bad = await begin();
      const place = path.join(bad.folder, name);
      await chmod(place, 0);
      const { error } = await expectOnly(bad, 'unreadable');
      expect(error!.code).toBe('io/read');
      await chmod(place, 0o700);
      await rm(bad.folder, { recursive: true });
    }
    await chmod(path.join(root, RUNS_FOLDER), 0);
    expect((await failureOf(() => runs('list'))).data.actual).toContain('may not be read');
    await chmod(path.join(root, RUNS_FOLDER), 0o700);
  });
});
