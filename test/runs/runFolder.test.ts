import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { MetricSearchPlan } from '../../src/search/metrics/plan.ts';
import type { MetricEvent } from '../../src/search/metrics/events.ts';
import { Journal } from '../../src/runs/journal.ts';
import {
  createRun,
  deleteRun,
  findRun,
  JOURNAL_FILE,
  openRun,
  RUN_FILE,
  runIds,
  RUNS_FOLDER,
} from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { lockRun } from '../../src/runs/runLock.ts';
import { newRunId, planOf } from '../../src/runs/runRecord.ts';
import { listRuns, summariseRun } from '../../src/runs/runSummary.ts';
import { sampleSearchPlan } from '../protocol/samples.ts';
import { failureOf } from '../support/expectCoded.ts';

const FIXTURE = path.join(import.meta.dirname, 'fixtures/run-1');
const AT = new Date(1763804575000);

let root: string;
beforeAll(async () => (root = await mkdtemp(path.join(tmpdir(), 'espalier-runs-'))));
afterEach(() => rm(path.join(root, '.espalier'), { recursive: true, force: true }));
afterAll(() => rm(root, { recursive: true }));

const planIn = (folder: string, changes: Partial<MetricSearchPlan> = {}): MetricSearchPlan =>
  sampleSearchPlan({
    model: path.join(folder, 'models', 'tiny'),
    text: path.join(folder, 'text.txt'),
    calibration: path.join(path.dirname(folder), 'elsewhere.txt'),
    test: path.join(folder, 'a', 'test.txt'),
    ...changes,
  });

const newRun = (changes: Partial<MetricSearchPlan> = {}): Promise<RunFolder> =>
  createRun(planIn(root, changes), {
    root,
    document: path.join(root, 'metrics.prune'),
    createdAt: AT,
    versions: { espalier: '0.1.0' },
  });

describe('what a run was asked', () => {
  it('means the same in another folder', async () => {
    const { folder, record: run } = await newRun();
    expect(run.plan).toMatchObject({
      model: 'models/tiny',
      text: 'text.txt',
      calibration: '../elsewhere.txt',
      test: 'a/test.txt',
    });
    expect(run).toMatchObject({ document: 'metrics.prune', createdAt: AT.toISOString() });
    const moved = path.join(root, 'moved', RUNS_FOLDER, run.id);
    await cp(folder, moved, { recursive: true });
    const opened = await openRun(moved);
    expect(opened.root).toBe(path.join(root, 'moved'));
    expect(planOf(opened.record, opened.root)).toEqual(planIn(path.join(root, 'moved')));
  });

  it('cannot be changed unseen, but for processes and threads', async () => {
    const { folder } = await newRun();
    const file = path.join(folder, RUN_FILE);
    const text = await readFile(file, 'utf8');
    const edit = async (from: RegExp, to: string): Promise<void> => {
      const edited = text.replace(from, to);
      expect(edited).not.toBe(text);
      await writeFile(file, edited);
    };
    await edit(/"workers": 1/, '"workers": 4');
    expect((await openRun(folder)).record.plan).toMatchObject({ search: { workers: 4 } });
    await edit(/"population": 50/, '"population": 51');
    expect((await failureOf(() => openRun(folder))).code).toBe('runs/changed');
    await edit(/"share": 0.6/, '"share": 0.5');
    expect((await failureOf(() => openRun(folder))).code).toBe('runs/changed');
  });

  it.each([
    ['no JSON', (text: string) => text.slice(0, 100), 'runs/format'],
    ['another format', (text: string) => text.replace('espalier-run-2', 'espalier-run-9'), 'runs/format'],
    ['a member that is missing', (text: string) => text.replace('"createdAt"', '"when"'), 'runs/format'],
    ['an id that is a path', (text: string) => text.replace(/"id": "[^"]*"/, '"id": "../../x"'), 'runs/format'],
    ['nothing', () => '', 'runs/format'],
    ['an operation that is not ours', (text: string) => text.replace('"mms"', '"mmz"'), 'runs/format'],
  ])('%s is refused with the file’s name', async (_, change, code) => {
    const { folder } = await newRun();
    const file = path.join(folder, RUN_FILE);
    await writeFile(file, change(await readFile(file, 'utf8')));
    expect((await failureOf(() => openRun(folder))).data).toMatchObject({ code, file });
    // One that cannot be read does not hide the others.
    expect(await listRuns(root)).toMatchObject([{ folder, error: { code } }]);
  });

  it('is found by the beginning of its id', async () => {
    const first = await newRun({ name: 'first' });
    const second = await newRun({ name: 'a name / with: signs' });
    expect(await runIds(root)).toEqual([first.record.id, second.record.id].sort());
    expect(second.record.id).toMatch(/^20251122-094255-a-name-with-signs-[0-9a-f]{6}$/);
    expect(await findRun(root, first.record.id.slice(0, 20))).toBe(first.folder);
    expect((await failureOf(() => findRun(root, '2025'))).data.actual).toBe('the beginning of 2');
    expect((await failureOf(() => findRun(root, ''))).code).toBe('runs/not-found');
    expect((await failureOf(() => findRun(root, '../..'))).data.remedy).toContain(first.record.id);
    expect((await failureOf(() => openRun(path.join(root, 'nowhere')))).code).toBe('runs/not-found');
    expect(newRunId('', AT)).toContain('-search-');
  });

  it('where a file is in the way, says so, and leaves it alone', async () => {
    const blocked = await mkdtemp(path.join(root, 'blocked-'));
    await writeFile(path.join(blocked, '.espalier'), 'mine');
    const error = await failureOf(() => createRun(planIn(blocked), { root: blocked, createdAt: AT, versions: {} }));
    expect(error.code).toBe('io/write');
    expect(await readFile(path.join(blocked, '.espalier'), 'utf8')).toBe('mine');
  });
});

describe('a run in a list', () => {
  const counts = { candidates: 4, invalid: 1, duplicates: 1, stoppedEarly: 1, fullEvaluations: 1, evaluations: 1.5 };
  const candidate: MetricEvent = {
    kind: 'candidate',
    id: 2,
    generation: 0,
    operator: 'grow',
    parents: [],
    expression: 'mul(W, X)',
    size: 3,
    depth: 2,
    outcome: { kind: 'full', perplexity: 20 },
  };
  const generation: MetricEvent = {
    kind: 'generation',
    generation: 0,
    best: 20,
    mean: 30,
    worst: 40,
    bestSoFar: { id: 2, perplexity: 20 },
    counts,
  };
  const error = { code: 'device/failed', operation: 'a', expected: 'b', actual: 'c', remedy: 'd' } as const;
  it.each<[string, MetricEvent[], object]>([
    ['interrupted', [], { best: undefined, counts: undefined, generation: undefined, lastAt: AT.getTime() }],
    [
      'interrupted',
      [candidate, generation, { kind: 'paused' }, { kind: 'resumed' }],
      { generation: 0, counts, lastAt: 7 },
    ],
    [
      'paused',
      [candidate, generation, { kind: 'paused' }],
      { best: { id: 2, expression: 'mul(W, X)', perplexity: 20 } },
    ],
    ['failed', [{ kind: 'failed', error }], { error }],
    ['interrupted', [{ kind: 'failed', error }, { kind: 'resumed' }, candidate], { error: undefined }],
    ['finished', [candidate, generation, { kind: 'finished', counts, best: [2] }], { best: { perplexity: 20 } }],
  ])('%s, after %j', async (state, events, expected) => {
    const run = await newRun();
    const { journal } = await Journal.open(path.join(run.folder, JOURNAL_FILE), run.record, { now: () => 7 });
    if (events.length > 0) await journal.append(events);
    await journal.close();
    expect(await summariseRun(run.folder)).toMatchObject({ id: run.record.id, state, ...expected });
    const lock = await lockRun(run.folder);
    expect((await summariseRun(run.folder)).state).toBe('running');
    await lock.release();
  });

  it('is read off the end of a long journal, and off the whole of it where the best is far back', async () => {
    const run = await newRun();
    const { journal } = await Journal.open(path.join(run.folder, JOURNAL_FILE), run.record, { now: () => 7 });
    await journal.append([candidate]);
    const others = Array.from({ length: 2000 }, (_, i): MetricEvent => ({ ...candidate, id: i + 3, expression: 'W' }));
    await journal.append([...others, generation, ...others.slice(0, 100)]);
    await journal.close();
    expect(await summariseRun(run.folder)).toMatchObject({ best: { id: 2, expression: 'mul(W, X)' }, generation: 0 });
  });

  it('of the fixture: what it found, as finally evaluated', async () => {
    const summary = await summariseRun(FIXTURE);
    expect(summary).toMatchObject({ state: 'finished', generation: 1, best: { id: 8, expression: 'mul(W, zsn(W))' } });
    expect(summary.best!.perplexity).toBeCloseTo(973.24, 2);
  });

  it('comes newest first, and is gone when it is deleted', async () => {
    const first = await newRun({ name: 'a' });
    const second = await createRun(planIn(root), { root, createdAt: new Date(AT.getTime() + 1000), versions: {} });
    expect((await listRuns(root)).map(({ id }) => id)).toEqual([second.record.id, first.record.id]);
    await deleteRun(first.folder);
    expect((await listRuns(root)).map(({ id }) => id)).toEqual([second.record.id]);
    expect(await listRuns(path.join(root, 'nowhere'))).toEqual([]);
  });
});
