import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Journal } from '../../src/runs/journal.ts';
import { createRun, JOURNAL_FILE } from '../../src/runs/runFolder.ts';
import type { RunEvent, RunPlan } from '../../src/search/kinds.ts';
import { compile } from '../../src/language/check/compile.ts';
import { readReportedRun } from '../../src/report/readReported.ts';
import { REPORT_FORMATS, reportFiles } from '../../src/report/reportFiles.ts';
import { failureOf } from '../support/expectCoded.ts';
import { latexProblems } from '../support/latexProblems.ts';
import { syntheticMaskPlan, syntheticMasks, syntheticRatePlan, syntheticRates } from '../support/syntheticStructure.ts';
import { syntheticRecovery, syntheticRecoveryPlan } from '../support/syntheticRecovery.ts';
import { syntheticPlan, syntheticSearch } from '../support/syntheticSearch.ts';

const root = await mkdtemp(path.join(tmpdir(), 'espalier-report-runs-'));
afterAll(() => rm(root, { recursive: true, force: true }));

interface Timed {
  readonly event: RunEvent;
}

async function kept(plan: RunPlan, events: readonly Timed[]): Promise<string> {
  const { folder, record } = await createRun(plan, { root, createdAt: new Date(1763804575000), versions: {} });
  const { journal } = await Journal.open(path.join(folder, JOURNAL_FILE), record, { now: () => 1763804576000 });
  await journal.append(events.map(({ event }) => event));
  await journal.close();
  return folder;
}

async function reportOf(folders: readonly string[]) {
  const runs = await Promise.all(folders.map(readReportedRun));
  const options = { formats: REPORT_FORMATS, second: false, title: 'Runs' };
  return reportFiles({ evaluations: [], runs, missing: [] }, options, { folder: path.join(root, 'report'), root });
}

const metrics = (seed: number) => syntheticPlan({ seed, population: 8, generations: 3 });
const rates = syntheticRatePlan({ generations: 3 });
const masks = syntheticMaskPlan({ steps: 200, checkpoints: 4 });
const recovery = syntheticRecoveryPlan({ steps: 100 });

const KINDS: readonly (readonly [string, () => Promise<string>, readonly string[]])[] = [
  ['metrics', () => kept(metrics(1), syntheticSearch(metrics(1))), ['figures/best.svg', 'figures/best.pdf']],
  ['rates', () => kept(rates, syntheticRates(rates)), ['figures/best.svg', 'figures/rates.pdf']],
  ['masks', () => kept(masks, syntheticMasks(masks)), ['figures/keep-groups.svg', 'figures/keep-channels.pdf']],
  ['recovery', async () => kept(recovery, await syntheticRecovery(recovery, { seed: 1 })), ['figures/recovery.svg']],
];

describe('the report of a run', () => {
  it.each(KINDS)('of kind %s is whole', async (_, make, expected) => {
    const files = await reportOf([await make()]);
    expect([...files.keys()]).toEqual(expect.arrayContaining(['tables/run-1.tex', 'tables/settings.csv', ...expected]));
    for (const [name, text] of files) if (name.endsWith('.tex')) expect(latexProblems(String(text)), name).toEqual([]);
    const repeated = compile(String(files.get('repeat.prune')));
    expect(repeated.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('of several seeds is their mean and deviation', async () => {
    const folders = await Promise.all(
      [1, 2, 3].map((seed) => kept(metrics(seed), syntheticSearch(metrics(seed), { seed }))),
    );
    const files = await reportOf(folders);
    expect(String(files.get('tables/seeds.csv')).split('\r\n')[1]).toMatch(
      /,"1, 2, 3",3,[\d.]+ ± [\d.]+,[\d.]+ ± [\d.]+$/,
    );
    expect(String(files.get('figures/best-1.svg') ?? '')).toContain('<svg');
  });

  it('that is not finished says so', async () => {
    const folder = await kept(metrics(4), syntheticSearch(metrics(4), { until: 1 }));
    const files = await reportOf([folder]);
    expect([...files.keys()]).toContain('tables/settings.tex');
  });

  it('whose journal is damaged is refused', async () => {
    const folder = await kept(metrics(5), syntheticSearch(metrics(5)));
    await appendFile(path.join(folder, JOURNAL_FILE), 'not a line of ours\n');
    expect((await failureOf(() => readReportedRun(folder))).code).toBe('runs/damaged');
  });

  it('is refused where its plan is none', async () => {
    const folder = await kept(metrics(6), []);
    await writeFile(path.join(folder, 'run.json'), '{}');
    expect((await failureOf(() => readReportedRun(folder))).code).toBe('runs/format');
  });
});
