import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EvolveCommandParts } from '../../../src/extension/search/evolveCommand.ts';
import type { MetricSearchPlan } from '../../../src/search/metrics/plan.ts';
import { createRun, runIds } from '../../../src/runs/runFolder.ts';
import type { RunFolder } from '../../../src/runs/runFolder.ts';
import { summariseRun } from '../../../src/runs/runSummary.ts';
import { sampleSearchPlan } from '../../protocol/samples.ts';

const asked: { message: string; detail: string; buttons: string[] }[] = [];
let answer: string | undefined;
vi.mock('vscode', () => ({
  version: '1.100.3',
  Uri: { parse: (uri: string) => ({ scheme: 'file', fsPath: uri.replace('file://', '') }) },
  window: {
    showWarningMessage: (message: string, { detail }: { detail: string }, ...buttons: string[]) => {
      asked.push({ message, detail, buttons });
      return Promise.resolve(answer);
    },
  },
}));
const { EvolveCommand } = await import('../../../src/extension/search/evolveCommand.ts');

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'espalier-evolve-'));
  asked.length = 0;
  answer = undefined;
});
afterEach(() => rm(root, { recursive: true }));

/** A window in which `running` goes on, and what it is asked to do. */
async function window(plan: MetricSearchPlan, running?: MetricSearchPlan) {
  const document = path.join(root, 'metrics.prune');
  const context = { root, document, createdAt: new Date(), versions: {} };
  const before = running && (await summariseRun((await createRun(running, context)).folder));
  const shown: string[] = [];
  const parts = {
    outlines: { searches: () => [] },
    searchPlan: () => Promise.resolve({ plan }),
    fallbackFor: () => ({}),
    rootOf: () => root,
    runningOf: (name: string) => Promise.resolve(before && running.name === name ? [before] : []),
    titleOf: () => 'evolved (2)',
    modelLength: () => Promise.resolve(2048),
    runner: { drive: () => undefined },
    panels: { show: ({ record }: RunFolder) => shown.push(record.id) },
    tell: (_: string, error: unknown) => {
      throw error;
    },
  } as unknown as EvolveCommandParts;
  const command = new EvolveCommand(parts);
  const evolve = (): Promise<void> => command.evolve({ uri: `file://${document}`, name: plan.name });
  return { evolve, shown, before: before?.id };
}

const planOf = (seed = 0): MetricSearchPlan => {
  const plan = sampleSearchPlan({ name: 'evolved' });
  const at = (file: string): string => path.join(root, file);
  return {
    ...plan,
    model: at('model'),
    text: at('text'),
    calibration: at('calib'),
    test: at('test'),
    search: { ...plan.search, seed },
  };
};

describe('the same search started while one runs', () => {
  it('where none runs nothing is asked', async () => {
    const { evolve, shown } = await window(planOf());
    await evolve();
    expect(asked).toEqual([]);
    expect(shown).toHaveLength(1);
  });

  it.each<[string, string | undefined, number, (before: string) => string[]]>([
    ['Open the One That Runs shows that one and begins none', 'Open the One That Runs', 1, (before) => [before]],
    ['closing the question does nothing', undefined, 1, () => []],
  ])('%s', async (_, chosen, runs, expected) => {
    answer = chosen;
    const { evolve, shown, before } = await window(planOf(), planOf());
    await evolve();
    expect(asked).toHaveLength(1);
    expect(asked[0]!.message).toMatch(/^evolved \(2\) is running \(begun just now\)/);
    expect(asked[0]).toMatchObject({
      detail: 'Another one would ask for the same.',
      buttons: ['Open the One That Runs', 'Start Another'],
    });
    expect(await runIds(root)).toHaveLength(runs);
    expect(shown).toEqual(expected(before!));
  });

  it('Start Another begins another, and the question says what would differ', async () => {
    answer = 'Start Another';
    const { evolve, shown } = await window(planOf(7), planOf(3));
    await evolve();
    expect(asked[0]!.detail).toBe('Another one would have seed 7; the one that runs has seed 3.');
    expect(await runIds(root)).toHaveLength(2);
    expect(shown).toHaveLength(1);
  });

  it('two clicks are one search', async () => {
    const { evolve } = await window(planOf());
    await Promise.all([evolve(), evolve()]);
    expect(await runIds(root)).toHaveLength(1);
  });
});
