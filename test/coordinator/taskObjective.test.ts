import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createRun, JOURNAL_FILE, openRun } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import type { SearchPlan } from '../../src/search/kinds.ts';
import { maskPlan, maskProblem } from '../search/masks/simulation.ts';
import { planOf } from '../search/metrics/simulation.ts';
import { evoPressPlan, ratePlan, rateProblem } from '../search/rates/simulation.ts';
import { driveScripted, eventsOf, storyOf } from './drivenRun.ts';
import type { Script } from './scriptedWorker.ts';

// Searches whose candidates are chosen by tasks, over workers and cut journals.

const SCRIPT: Script = {
  ...{ rates: rateProblem(3), masks: maskProblem(5) },
  opening: { objective: 'tasks', denseTaskLoss: 1.25, denseAccuracy: 0.4 },
};

const root = await mkdtemp(path.join(tmpdir(), 'espalier-task-objective-'));
afterAll(() => rm(root, { recursive: true, force: true }));

const objective = 'tasks';
const PLANS: readonly (readonly [string, SearchPlan])[] = [
  ['metrics', planOf({ population: 12, generations: 3, elites: 2, finalists: 2, seed: 3, objective })],
  [
    'rates by Self-Pruner',
    ratePlan({ population: 5, mutations: 2, crossovers: 1, generations: 2, finalists: 2, objective }),
  ],
  [
    'rates by EvoPress',
    evoPressPlan({ offspring: 6, rounds: [1, 3], survivors: [2, 1], generations: 3, finalists: 2, objective }),
  ],
  ['masks', maskPlan({ steps: 8, masks: 2, batch: 3, checkpoints: 4, objective })],
];

let second = 0;
async function newRun(plan: SearchPlan): Promise<RunFolder> {
  const tasks = {
    list: [{ task: 'piqa', documents: path.join(root, 'piqa.jsonl'), shots: 0, limit: 0 }],
    ...({ harness: '0.4', beginning: 'tokenizer' } as const),
  };
  const absolute = { ...plan, model: path.join(root, 'model'), text: path.join(root, 'text.txt'), tasks };
  return createRun(absolute, { root, createdAt: new Date(1763804575000 + 1000 * second++), versions: {} });
}

describe.each(PLANS)('a search for %s by tasks', (_, plan) => {
  it('tells losses and accuracies, and no fitness by another name', async () => {
    const run = await newRun(plan);
    const { outcome } = await driveScripted(run, SCRIPT, { workers: 2 });
    expect(outcome.kind).toBe('finished');
    const events = (await eventsOf(run)).filter(({ kind }) => kind !== 'finalist' && kind !== 'opened');
    const text = JSON.stringify(events);
    expect(text).toContain('"taskLoss":');
    expect(text).toContain('"accuracy":');
    expect(text).not.toContain('"perplexity":');
    expect(text).not.toContain('"kl":');
    for (const event of events) {
      if (event.kind !== 'candidate' || event.outcome.kind === 'invalid') continue;
      const { kind, accuracy, taskLoss } = event.outcome;
      expect(taskLoss).toEqual(expect.any(Number));
      // What others stopped is known on some documents alone.
      if (kind === 'full') expect(accuracy).toEqual(expect.any(Number));
      if (kind === 'stopped') expect(accuracy).toBeUndefined();
    }
  });

  it('ends as the whole one does when it is resumed from any cut, event for event', async () => {
    const whole = await newRun(plan);
    await driveScripted(whole, SCRIPT);
    const expected = await storyOf(whole);
    const journal = path.join(whole.folder, JOURNAL_FILE);
    const lines = (await readFile(journal, 'utf8')).split('\n').slice(0, -1);
    expect(lines.length).toBeGreaterThan(10);
    const step = Math.ceil(lines.length / 12);
    for (let cut = 1; cut < lines.length; cut += step) {
      await writeFile(journal, `${lines.slice(0, cut).join('\n')}\n`);
      await driveScripted(await openRun(whole.folder), SCRIPT, { workers: 2 });
      expect(await storyOf(whole)).toEqual(expected);
    }
  });
});

describe('batches of a search for masks by tasks', () => {
  it.each([
    [3, 3],
    [100, 4],
  ])('are %d whole documents, of those that there are', async (batch, most) => {
    const asked: (readonly number[])[] = [];
    const react: Script['react'] = (request, __, on) => {
      if (request === 'measure' && on?.kind === 'documents') asked.push(on.documents);
      expect(on?.kind).not.toBe('samples');
      return 'answer';
    };
    await driveScripted(await newRun(maskPlan({ steps: 20, masks: 2, batch, objective })), { ...SCRIPT, react });
    expect(asked.length).toBeGreaterThanOrEqual(20);
    for (const documents of asked) {
      expect(documents.length).toBe(most);
      expect(new Set(documents).size).toBe(most);
      expect(documents.every((place) => place >= 0 && place < 4)).toBe(true);
    }
    expect(new Set(asked.flat())).toEqual(new Set([0, 1, 2, 3]));
  });
});
