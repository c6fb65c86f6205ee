import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { PlannedTasks } from '../../src/experiment/taskSchema.ts';
import { createRun, JOURNAL_FILE, openRun, RUN_FILE } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { planOf as portablePlanOf } from '../../src/runs/runRecord.ts';
import type { NamedStructure } from '../../src/search/masks/plan.ts';
import type { RunPlan } from '../../src/search/kinds.ts';
import { maskPlan, maskProblem } from '../search/masks/simulation.ts';
import { planOf } from '../search/metrics/simulation.ts';
import { ratePlan, rateProblem } from '../search/rates/simulation.ts';
import { recoveryPlan, recoveryProblem } from '../search/recovery/simulation.ts';
import { driveScripted, eventsOf, storyOf } from './drivenRun.ts';
import type { Script } from './scriptedWorker.ts';

const SCRIPT: Script = { rates: rateProblem(3), masks: maskProblem(5), recovery: recoveryProblem() };

const root = await mkdtemp(path.join(tmpdir(), 'espalier-finalist-tasks-'));
afterAll(() => rm(root, { recursive: true, force: true }));
const file = (name: string): string => path.join(root, name);

const TASKS: PlannedTasks = {
  list: [
    { task: 'piqa', documents: file('data/piqa.jsonl'), shots: 0, limit: 100 },
    { task: 'rte', documents: file('data/rte.jsonl'), examples: file('data/rte.train.jsonl'), shots: 2, limit: 0 },
  ],
  harness: '0.3',
  beginning: 'none',
};

const WANDA_SP: NamedStructure = {
  name: 'wanda-sp',
  structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: { kind: 'uniform' } },
};

const PLANS: readonly RunPlan[] = [
  planOf({ population: 8, generations: 2, elites: 2, finalists: 2, seed: 3 }),
  ratePlan({ population: 5, mutations: 2, crossovers: 1, generations: 2, finalists: 2 }),
  { ...maskPlan({ steps: 6, masks: 2, checkpoints: 2 }), baselines: [WANDA_SP] },
  recoveryPlan(),
];

let second = 0;
async function newRun(
  plan: RunPlan,
  more: { readonly test?: string; readonly tasks?: PlannedTasks },
): Promise<RunFolder> {
  const absolute = { ...plan, model: file('model'), text: file('text.txt'), ...more };
  return createRun(absolute, { root, createdAt: new Date(1763804575000 + 1000 * second++), versions: {} });
}

const finalistsOf = async (run: RunFolder) => (await eventsOf(run)).filter((event) => event.kind === 'finalist');

describe.each(PLANS.map((plan) => [plan.kind, plan] as const))('a run for %s with tasks', (_, plan) => {
  it.each([
    ['on the fitness text where there is no other', {}, ['result']],
    ['on the test text where there is one', { test: file('unseen.txt') }, ['test']],
  ] as const)('asks them once, %s', async (__, more, asked) => {
    const run = await newRun(plan, { ...more, tasks: TASKS });
    const told: (readonly string[])[] = [];
    const { outcome } = await driveScripted(run, SCRIPT, { workers: 2 });
    expect(outcome.kind).toBe('finished');
    const finalists = await finalistsOf(run);
    expect(finalists.length).toBeGreaterThanOrEqual(2);
    for (const finalist of finalists) {
      told.push((['result', 'test'] as const).filter((name) => finalist[name]?.tasks !== undefined));
      const tasks = (finalist.test ?? finalist.result)!.tasks!;
      expect(tasks.map(({ task, shots, documentsFile }) => [task, shots, documentsFile])).toEqual([
        ['piqa', 0, 'data/piqa.jsonl'],
        ['rte', 2, 'data/rte.jsonl'],
      ]);
    }
    expect(told).toEqual(finalists.map(() => asked));
  });

  it('keeps them in its plan, by paths from the workspace', async () => {
    const run = await newRun(plan, { tasks: TASKS });
    expect(await readFile(path.join(run.folder, RUN_FILE), 'utf8')).not.toContain(root);
    const { record } = await openRun(run.folder);
    expect(record.plan.tasks!.list[1]).toMatchObject({ documents: 'data/rte.jsonl', examples: 'data/rte.train.jsonl' });
    expect(portablePlanOf(record, root).tasks).toEqual(TASKS);
  });

  it('is another run than one that asks others, and without tasks what it was', async () => {
    const [asks, others, none] = [
      await newRun(plan, { tasks: TASKS }),
      await newRun(plan, { tasks: { ...TASKS, harness: '0.4' } }),
      await newRun(plan, {}),
    ];
    expect(new Set([asks, others, none].map(({ record }) => record.fingerprint)).size).toBe(3);
    await driveScripted(none, SCRIPT);
    for (const { result } of await finalistsOf(none)) expect(result).not.toHaveProperty('tasks');
  });

  it('comes to the same end whose worker dies while it asks, and resumed from every cut of its end', async () => {
    const more = { test: file('unseen.txt'), tasks: TASKS };
    const whole = await newRun(plan, more);
    await driveScripted(whole, SCRIPT);
    const expected = (await storyOf(whole)).map((line) => line.replaceAll(whole.record.id, 'RUN'));
    let deaths = 0;
    const dying = await newRun(plan, more);
    const react: Script['react'] = (request) =>
      (request === 'evaluate' || request === 'recovered') && ++deaths % 3 === 1 ? 'die' : 'answer';
    await driveScripted(dying, { ...SCRIPT, react }, { workers: 2 });
    expect(deaths).toBeGreaterThan(2);
    expect((await storyOf(dying)).map((line) => line.replaceAll(dying.record.id, 'RUN'))).toEqual(expected);

    const journal = path.join(whole.folder, JOURNAL_FILE);
    const lines = (await readFile(journal, 'utf8')).split('\n').slice(0, -1);
    const first = lines.findIndex((line) => line.includes('"kind":"finalist"'));
    expect(lines.length - first).toBeGreaterThan(2);
    for (let cut = first; cut < lines.length; cut++) {
      await writeFile(
        journal,
        lines
          .slice(0, cut)
          .map((line) => `${line}\n`)
          .join(''),
      );
      await driveScripted(await openRun(whole.folder), SCRIPT);
      expect((await storyOf(whole)).map((line) => line.replaceAll(whole.record.id, 'RUN'))).toEqual(expected);
    }
  });
});
