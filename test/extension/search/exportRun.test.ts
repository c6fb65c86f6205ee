import { describe, expect, it } from 'vitest';
import { masksAsCsv, ratesAsCsv, ratesAsJson } from '../../../src/extension/search/exportRun.ts';
import { createRunRecord } from '../../../src/runs/runRecord.ts';
import type { RateCandidate } from '../../../src/search/rates/events.ts';
import type { RateSearchPlan } from '../../../src/search/rates/plan.ts';
import { foldMaskEvent, newMaskState } from '../../../src/search/masks/state.ts';
import { foldRateEvent, newRateState } from '../../../src/search/rates/state.ts';
import { evoPressPlan, rateProblem, simulateRates } from '../../search/rates/simulation.ts';
import {
  syntheticMaskPlan,
  syntheticMasks,
  syntheticRatePlan,
  syntheticRates,
} from '../../support/syntheticStructure.ts';

const ratePlan = syntheticRatePlan({ population: 6, mutations: 3, crossovers: 3, generations: 3 });
const rates = newRateState();
const invalid = (detail: string) => ({ kind: 'invalid', detail });
for (const { event, at } of syntheticRates(ratePlan)) foldRateEvent(rates, event, at);
const recordOf = (plan: RateSearchPlan) =>
  createRunRecord('20260101-000000-rates-000000', plan, { root: '/workspace', createdAt: new Date(0), versions: {} });

describe('a search for rates', () => {
  it('is a table with a row for each configuration and a column for each block', () => {
    const [head, ...rows] = ratesAsCsv(rates).trimEnd().split('\r\n');
    expect(head).toBe(
      'id,generation,operator,parents,repaired,request,perplexity,outcome,blocks,same as,reason,block 1,block 2,block 3,block 4,block 5,block 6',
    );
    expect(rows).toHaveLength(rates.candidates.length);
    const [first] = rates.candidates;
    expect(rows[0]!.startsWith(`0,0,${first!.operator},`)).toBe(true);
    expect(rows[0]!.endsWith(first!.rates.join(','))).toBe(true);
  });

  it.each<[RateCandidate['outcome'], string]>([
    [{ kind: 'full', perplexity: 151.25 }, '151.25,full,,,'],
    [{ kind: 'stopped', rung: 0, blocks: 7, perplexity: 151.25 }, '151.25,stopped,7,,'],
    [{ kind: 'shared', of: -1, perplexity: 151.25 }, '151.25,shared,,-1,'],
    [{ kind: 'invalid', detail: 'its loss is NaN' }, ',invalid,,,its loss is NaN'],
  ])('says what became of a configuration: %o', (outcome, cells) => {
    const candidates = [{ ...rates.candidates[0]!, outcome }];
    const [, row] = ratesAsCsv({ ...rates, candidates }).split('\r\n');
    const { operator, call, rates: shares } = candidates[0]!;
    expect(row).toBe(`0,0,${operator},,,${call},${cells},${shares.join(',')}`);
  });

  it('has the blocks without attention and without MLP before the rates, where layers go as a whole', async () => {
    const problem = rateProblem(1);
    const { events } = await simulateRates(evoPressPlan({ drop: 'sublayers', generations: 2 }), problem);
    const state = newRateState();
    foldRateEvent(state, { kind: 'opened', ...problem.opening }, 0);
    for (const event of events) foldRateEvent(state, event, 0);
    const [head, ...rows] = ratesAsCsv(state).trimEnd().split('\r\n');
    expect(head).toContain(',same as,reason,without attention,without MLP,block 1,block 2,');
    expect(rows).toHaveLength(state.candidates.length);
    for (const [i, { rates: shares, dropped }] of state.candidates.entries()) {
      // Two of eight of each kind, counted from 1.
      const [attention, mlp] = [dropped!.attention, dropped!.mlp].map((blocks) => blocks.map((block) => block + 1));
      expect(attention).toHaveLength(2);
      expect(rows[i]!.endsWith(`,${attention!.join(' ')},${mlp!.join(' ')},${shares.join(',')}`)).toBe(true);
    }
    const candidates = [{ ...state.candidates[0]!, dropped: { attention: [], mlp: [0, 7] } }];
    const [, row] = ratesAsCsv({ ...state, candidates }).split('\r\n');
    expect(row!.endsWith(`,,1 8,${candidates[0]!.rates.join(',')}`)).toBe(true);
    expect(JSON.parse(ratesAsJson(recordOf(ratePlan), state))).toMatchObject({
      candidates: state.candidates.map(({ dropped }) => ({ dropped })),
    });
  });

  it('by tasks has their loss, and beside it the accuracy', () => {
    const opening = { ...rates.opening!, objective: 'tasks' } as const;
    const outcomes = [
      { kind: 'full', taskLoss: 1.25, accuracy: 0.5 },
      { kind: 'stopped', rung: 0, blocks: 7, taskLoss: 1.5 },
    ] as const;
    const candidates = outcomes.map((outcome) => ({ ...rates.candidates[0]!, outcome }));
    const [head, ...rows] = ratesAsCsv({ ...rates, opening, candidates })
      .trimEnd()
      .split('\r\n');
    expect(head).toContain(',request,taskLoss,accuracy,outcome,');
    expect(rows[0]).toContain(',1.25,0.5,full,');
    expect(rows[1]).toContain(',1.5,,stopped,7,');
  });

  it('is no formula of a spreadsheet, whatever a journal says', () => {
    const said = {
      ...rates,
      candidates: [{ ...rates.candidates[0]!, outcome: invalid("=cmd|' /C calc'!A0") }],
    };
    expect(ratesAsCsv(said as typeof rates)).toContain(",'=cmd|' /C calc'!A0,");
  });

  it('is all that was found, without prompts', () => {
    const text = ratesAsJson(recordOf(ratePlan), rates);
    const found = JSON.parse(text) as Record<string, unknown[]>;
    expect([found['candidates']?.length, found['generations']?.length]).toEqual([rates.candidates.length, 4]);
    expect(text).not.toContain('You tune');
  });
});

it('a search for masks is a table with a row for each step, and its checkpoints', () => {
  const events = syntheticMasks(syntheticMaskPlan({ steps: 40, checkpoints: 4 }));
  const state = newMaskState();
  for (const { event, at } of events) foldMaskEvent(state, event, at);
  const steps = events.flatMap(({ event }) => (event.kind === 'step' ? [event] : []));
  const rows = masksAsCsv(steps, state).trimEnd().split('\r\n');
  expect(rows[0]).toBe('step,losses,baseline,perplexity before,removed');
  // One row more than steps: the last checkpoint stands behind them.
  expect(rows).toHaveLength(1 + 41);
  expect(rows[1]).toMatch(/^1,[\d.]+ [\d.]+,[\d.]+,[\d.]+,0\.2996$/);
  expect(rows[2]).toMatch(/^2,[\d.]+ [\d.]+,[\d.]+,,$/);
  expect(rows.at(-1)).toMatch(/^41,,,[\d.]+,0\.2996$/);
});
