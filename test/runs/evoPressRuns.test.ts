import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../src/cli/commands/commandContext.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { removedShareOfAll, unpackBits } from '../../src/experiment/components.ts';
import { planSchema } from '../../src/experiment/planSchema.ts';
import { Journal } from '../../src/runs/journal.ts';
import { evaluationOfRun } from '../../src/runs/runEvaluation.ts';
import { createRun, JOURNAL_FILE } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { summariseRun } from '../../src/runs/runSummary.ts';
import type { SearchEvent } from '../../src/search/kinds.ts';
import { evaluationWith } from '../../src/search/rates/configuration.ts';
import type { RateCandidate } from '../../src/search/rates/events.ts';
import type { EvoPressPlan } from '../../src/search/rates/evopress/plan.ts';
import { sampleResult } from '../protocol/samples.ts';
import { failureOf } from '../support/expectCoded.ts';
import { evoPressPlan, noisyProblem, simulateRates } from '../search/rates/simulation.ts';

const PROBLEM = noisyProblem(3);
const { components } = PROBLEM.opening;

const root = await mkdtemp(path.join(tmpdir(), 'espalier-evopress-runs-'));
afterAll(() => rm(root, { recursive: true, force: true }));

interface Finished {
  readonly plan: EvoPressPlan;
  readonly run: RunFolder;
  readonly candidates: readonly RateCandidate[];
  /** Ids, the best first, as finally evaluated. */
  readonly best: readonly number[];
}

/** A run that is through; the finalists' own evaluations turn their order around. */
async function finishedRun(changes: Partial<EvoPressPlan['search']>): Promise<Finished> {
  const plan: EvoPressPlan = {
    ...evoPressPlan({ generations: 5, ...changes }),
    ...{ model: path.join(root, 'model'), text: path.join(root, 'text.txt') },
    calibration: path.join(root, 'calibration.txt'),
  };
  const { events, outcome } = await simulateRates(plan, PROBLEM);
  const best = outcome.finalists.map(({ id }) => id).reverse();
  const createdAt = new Date(1763804575000 + (changes.drop === undefined ? 0 : 1000));
  const run = await createRun(plan, { root, createdAt, versions: {} });
  const { journal } = await Journal.open(path.join(run.folder, JOURNAL_FILE), run.record, { now: () => 1763804576000 });
  const finalists = best.map((id, i): SearchEvent => {
    return { kind: 'finalist', id, name: `configuration ${id}`, result: sampleResult({ perplexity: 30 + i }) };
  });
  await journal.append([{ kind: 'opened', ...PROBLEM.opening }, ...events, ...finalists]);
  await journal.append([{ kind: 'finished', counts: outcome.counts, best }]);
  await journal.close();
  const candidates = events.flatMap((event) => (event.kind === 'candidate' ? [event] : []));
  return { plan, run, candidates, best };
}

async function output(...words: readonly string[]): Promise<string> {
  let out = '';
  const stream = { write: (text: string) => (out += text) };
  const context = { folder: root, terminal: createTerminal(stream, stream, {}) } as CommandContext;
  expect(await runCommandLine(words, context)).toBe(0);
  return out;
}

describe.each<[what: string, changes: Partial<EvoPressPlan['search']>]>([
  ['rates', {}],
  ['layers', { drop: 'sublayers', starts: 12 }],
])('a run by EvoPress for %s', (_, changes) => {
  let found: Finished;
  beforeAll(async () => {
    found = await finishedRun(changes);
  });
  const of = (id: number): RateCandidate => found.candidates.find((each) => each.id === id)!;

  it('becomes an evaluation of its best, as finally evaluated', async () => {
    const { plan, run, best } = found;
    expect(best.length).toBeGreaterThan(1);
    const asked = await evaluationOfRun(run);
    const { model, text, calibration, settings } = plan;
    expect(asked).toEqual({
      ...{ model, text, calibration, settings },
      evaluations: [evaluationWith(plan, of(best[0]!), components)],
    });
    expect(planSchema.safeParse(asked).error).toBeUndefined();
  });

  it('and of any of its candidates, stopped ones too', async () => {
    const { run, candidates, plan } = found;
    expect(new Set(candidates.map(({ outcome }) => outcome.kind))).toContain('stopped');
    for (const { id, rates, dropped } of candidates.filter(({ id }) => id % 7 === 0)) {
      const asked = await evaluationOfRun(run, id);
      expect(planSchema.safeParse(asked).error).toBeUndefined();
      const [evaluation] = asked.evaluations as [(typeof asked.evaluations)[0]];
      if (!('structure' in evaluation)) throw new Error('not of a structure');
      if (!dropped) {
        expect(evaluation).toMatchObject({
          ...{ metric: 'wanda-sp', sparsity: plan.sparsity },
          structure: { kind: 'scored', score: { method: 'wanda-sp' }, rates: { kind: 'given', rates } },
        });
        continue;
      }
      if (evaluation.structure.kind !== 'mask') throw new Error('no mask');
      const { mask } = evaluation.structure;
      for (const [block, { groups, channels, dropped: isGone = false }] of mask.entries()) {
        const kept = [unpackBits(groups, components[block]!.groups), unpackBits(channels, components[block]!.channels)];
        const [attentionGoes, mlpGoes] = [dropped.attention.includes(block), dropped.mlp.includes(block)];
        expect(kept.map((bits) => bits.every((bit) => bit === 0))).toEqual([attentionGoes, mlpGoes]);
        expect(kept.map((bits) => bits.every((bit) => bit === 1))).toEqual([!attentionGoes, !mlpGoes]);
        expect(isGone).toBe(attentionGoes && mlpGoes);
      }
      const share = removedShareOfAll(components, mask);
      expect(evaluation.sparsity).toEqual(plan.sparsity);
      expect(share).toBeCloseTo(rates.reduce((sum, rate) => sum + rate, 0) / rates.length, 12);
    }
    expect((await failureOf(() => evaluationOfRun(run, candidates.length))).data.code).toBe('settings/invalid');
  });

  it('is summed up, and listed, with its best', async () => {
    const { run, best } = found;
    const { id, rates, dropped } = of(best[0]!);
    const summary = await summariseRun(run.folder);
    expect(summary).toMatchObject({ state: 'finished', generation: 5 });
    expect(summary.best).toEqual({ kind: 'rates', id, rates, ...(dropped && { dropped }), perplexity: 30 });

    const listed = (await output('runs', '--json')).trim().split('\n');
    const objects = listed.map((line) => JSON.parse(line) as { readonly id: string; readonly best: object });
    expect(objects.find((each) => each.id === run.record.id)!.best).toEqual(summary.best);
    const line = (await output('runs')).split('\n').find((each) => each.startsWith(run.record.id))!;
    expect(line).toContain(`rates ${rates.map((rate) => rate.toFixed(2)).join(' ')}`);
    const names = (blocks: readonly number[]): string => blocks.map((block) => block + 1).join(', ');
    if (dropped)
      expect(line).toContain(`, without attention ${names(dropped.attention)} and MLP ${names(dropped.mlp)}`);
    else expect(line).not.toContain('without');

    const shown = JSON.parse(await output('runs', 'show', run.record.id, '--json')) as { readonly best: object[] };
    expect(shown.best[0]).toMatchObject({ id, rates, ...(dropped && { dropped }) });
  });
});
