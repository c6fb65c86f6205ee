import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ComparedRuns } from '../../src/runs/comparedRuns.ts';
import { CurveReader } from '../../src/runs/curveReader.ts';
import { glanceLines } from '../../src/runs/glanceLines.ts';
import { firstLink } from '../../src/runs/journalLine.ts';
import { decodeLines } from '../../src/runs/journalLines.ts';
import { JOURNAL_FILE, journalOf, openRun, RUNS_FOLDER } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { bestOf } from '../../src/search/comparison/comparedRun.ts';
import type { CurvePoint } from '../../src/search/comparison/curve.ts';
import { CurveFold } from '../../src/search/comparison/curveFold.ts';
import { foldEvent, newState } from '../../src/search/folds.ts';
import type { AnySearchState } from '../../src/search/folds.ts';
import type { RunPlan } from '../../src/search/kinds.ts';
import { fitnessIn } from '../../src/search/lifecycle/objective.ts';
import { differentRuns } from '../support/differentRuns.ts';
import type { SyntheticRun } from '../support/differentRuns.ts';
import { journalOfEvents, writeRun } from '../support/writeRun.ts';

const FIXTURES = path.join(import.meta.dirname, 'fixtures');
/** Of the runs that never were, and of two that were, in both formats. */
const NAMES = ['Pruner-Zero', 'another seed', 'random', 'steady state', 'proposals', 'Self-Pruner', 'EvoPress'].concat([
  'EvoPress of layers',
  'masks',
  'recovery',
  'format 1',
  'format 2',
]);

let root: string;
let made: readonly SyntheticRun[];
const runs: RunFolder[] = [];

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'espalier-curves-'));
  made = await differentRuns(60);
  for (const [i, run] of made.entries()) runs.push(await writeRun(root, run, new Date(Date.UTC(2026, 10, 22, 10, i))));
  for (const name of ['run-1', 'run-2']) {
    const folder = path.join(root, RUNS_FOLDER, name);
    await cp(path.join(FIXTURES, name), folder, { recursive: true });
    runs.push(await openRun(folder));
  }
});
afterAll(() => rm(root, { recursive: true }));

/** All events folded as everything else folds them. */
async function folded(run: RunFolder): Promise<AnySearchState> {
  const state = newState(run.record.plan.kind);
  for await (const records of journalOf(run).more()) for (const { event, at } of records) foldEvent(state, event, at);
  return state;
}

/** The best so far as panels have it. */
function bestsOf(state: AnySearchState): readonly Pick<CurvePoint, 'fitness' | 'steps'>[] {
  const all =
    state.kind === 'masks'
      ? state.checkpoints.map((one) => ({ fitness: fitnessIn(one), steps: one.step }))
      : state.kind === 'recovery'
        ? state.validations.map(({ perplexity, step }) => ({ fitness: perplexity ?? undefined, steps: step }))
        : state.improvements.map(({ fitness, generation }) => ({ fitness, steps: generation + 1 }));
  let best = Infinity;
  return all.flatMap(({ fitness = Infinity, steps }) => {
    if (fitness >= best) return [];
    best = fitness;
    return [{ fitness, steps }];
  });
}

describe('the best so far, read at a glance', () => {
  it.each(NAMES.map((name, i) => [name, i] as const))('is that of all events: %s', async (_, i) => {
    const run = runs[i]!;
    const state = await folded(run);
    const reader = new CurveReader(run);
    await reader.look();
    const { curve } = reader.fold;
    expect(reader.damage).toBeUndefined();
    expect(curve.points.map(({ fitness, steps }) => ({ fitness, steps }))).toEqual(bestsOf(state));
    expect(curve.points.length).toBeGreaterThan(0);
    expect(curve.end.seconds).toBeCloseTo(state.times.worked / 1000, 6);
    if (state.kind === 'metrics' || state.kind === 'rates') {
      expect(curve.end.evaluations).toBeCloseTo(state.counts.evaluations, 9);
      const last = state.improvements.at(-1)!;
      expect(curve.points.at(-1)!.evaluations).toBeCloseTo(last.evaluations, 9);
    }
    // The rest of it is folded as ever.
    const { finalists, status, opening } = reader.fold.state;
    expect({ finalists, status, opening }).toEqual({
      finalists: state.finalists,
      status: state.status,
      opening: state.opening,
    });
  });

  it.each(NAMES.slice(0, 10).map((name, i) => [name, i] as const))('is that of events folded whole: %s', (_, i) => {
    const { plan, events } = made[i]!;
    const whole = new CurveFold(plan);
    for (const { event, at } of events) whole.fold(event, Math.round(at));
    expect(whole.curve).toEqual(glanced(runs[i]!, plan, journalOfEvents(runs[i]!, events)).curve);
  });

  it('passes over most lines of a long search', async () => {
    const taken: string[] = [];
    const fold = new CurveFold(runs[0]!.record.plan);
    const bytes = await readFile(path.join(runs[0]!.folder, JOURNAL_FILE));
    const { used } = glanceLines(bytes, firstLink(runs[0]!.record), {
      passes: (line) => fold.passes(line),
      take: ({ event, at }) => {
        taken.push(event.kind);
        fold.fold(event, at);
      },
    });
    expect(used).toBe(bytes.length);
    expect(taken.filter((kind) => kind === 'candidate').length).toBe(fold.curve.points.length);
    expect(new Set(taken)).toEqual(new Set(['opened', 'baseline', 'candidate', 'generation', 'finalist', 'finished']));
  });

  it('goes on where it was when the journal has grown, and reads nothing that is the same', async () => {
    const { record } = runs[0]!;
    const folder = path.join(root, RUNS_FOLDER, 'growing');
    await cp(runs[0]!.folder, folder, { recursive: true });
    const run = { folder, root, record };
    const text = journalOfEvents(run, made[0]!.events);
    const half = text.length >> 1;
    await writeFile(path.join(folder, JOURNAL_FILE), text.slice(0, half));
    const reader = new CurveReader(run);
    await reader.look();
    const before = reader.fold.curve.end.evaluations!;
    await appendFile(path.join(folder, JOURNAL_FILE), text.slice(half));
    await reader.look();
    expect(before).toBeGreaterThan(0);
    expect(reader.fold.curve).toEqual(glanced(run, record.plan, text).curve);
    await reader.look();
    expect(reader.fold.curve).toEqual(glanced(run, record.plan, text).curve);
  });

  it.each<[string, (lines: string[]) => void, RegExp]>([
    ['a line that was left out', (lines) => lines.splice(40, 1), /line 41 .*not as it was written/],
    ['two that were swapped', (lines) => lines.splice(50, 0, lines.splice(52, 1)[0]!), /line 51 /],
    [
      'a new best that was changed',
      (lines) => {
        change(lines, '"full","perplexity":', 'full","perplexity":1');
      },
      /not as it was written/,
    ],
    [
      'a kind of event that is not known',
      (lines) => {
        change(lines, '"kind":"probed"', '"kind":"guessed"');
      },
      /not as it was written/,
    ],
  ])('stops and says so at %s', async (name, damage, trouble) => {
    const folder = path.join(root, RUNS_FOLDER, name.replaceAll(' ', '-'));
    await cp(runs[0]!.folder, folder, { recursive: true });
    const file = path.join(folder, JOURNAL_FILE);
    const lines = (await readFile(file, 'utf8')).split('\n');
    damage(lines);
    await writeFile(file, lines.join('\n'));
    const [run] = await new ComparedRuns().read([await openRun(folder)], () => 'it');
    expect(run).toMatchObject({ state: 'damaged', trouble: expect.stringMatching(trouble) as string });
  });

  it('shows what was there before a line ended otherwise, and all of it', async () => {
    const folder = path.join(root, RUNS_FOLDER, 'returns');
    await cp(runs[0]!.folder, folder, { recursive: true });
    const file = path.join(folder, JOURNAL_FILE);
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('\n', '\r\n'));
    const [with_, without] = await new ComparedRuns().read([await openRun(folder), runs[0]!], () => 'it');
    expect(with_).toMatchObject({
      state: 'finished',
      curve: without!.curve,
      trouble: expect.stringContaining('CR LF') as string,
    });
  });

  it('keeps what it has read: who asks again gets the same at once, and what was deleted is told', async () => {
    const compared = new ComparedRuns();
    const told: string[] = [];
    const first = await compared.read(
      runs.slice(0, 3),
      ({ record }) => record.id,
      ({ id }) => told.push(id),
    );
    expect(told.sort()).toEqual(
      runs
        .slice(0, 3)
        .map(({ record }) => record.id)
        .sort(),
    );
    expect(await compared.read(runs.slice(0, 3), ({ record }) => record.id)).toEqual(first);
    expect(first.map(bestOf).every((best) => best !== undefined && best > 143)).toBe(true);
  });
});

/** Of a journal in memory. */
function glanced(run: RunFolder, plan: RunPlan, text: string): CurveFold {
  const fold = new CurveFold(plan);
  const bytes = Buffer.from(text);
  const read = glanceLines(bytes, firstLink(run.record), {
    passes: (line) => fold.passes(line),
    take: ({ event, at }) => {
      fold.fold(event, at);
    },
  });
  expect(read).toEqual({ ...decodeLines(bytes, firstLink(run.record)), records: [] });
  return fold;
}

/** In the first line that has it. */
function change(lines: string[], from: string, to: string): void {
  const at = lines.findIndex((line) => line.includes(from));
  lines[at] = lines[at]!.replace(from, to);
}
