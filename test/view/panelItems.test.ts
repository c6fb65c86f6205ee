import { describe, expect, it } from 'vitest';
import { packCandidates, unpackCandidates } from '../../src/search/metrics/columns.ts';
import { panelItems } from '../../src/view/panelItems.ts';
import type { JournalRecord } from '../../src/runs/journalLine.ts';
import { foldEvent } from '../../src/search/folds.ts';
import { newMetricState } from '../../src/search/metrics/state.ts';
import type { MetricState } from '../../src/search/metrics/state.ts';
import { emptyPanel, receive } from '../../webview-ui/panel/common/panelData.ts';
import { syntheticPlan, syntheticSearch } from '../support/syntheticSearch.ts';

const records = withMeasurements(syntheticSearch(syntheticPlan({ population: 20, generations: 6 }), { seed: 3 }));

describe('a journal on its way to the panel', () => {
  it.each([1, 7, 64, 10_000])('folds to the same in portions of %i', (portion) => {
    const whole = newMetricState();
    for (const { event, at } of records) foldEvent(whole, event, at);
    let data = emptyPanel();
    for (let i = 0; i < records.length; i += portion) {
      const items = structuredClone(panelItems(records.slice(i, i + portion)));
      data = receive(data, { kind: 'events', items, complete: i + portion >= records.length });
    }
    expect(known(data.search as MetricState)).toEqual(known(whole));
    expect((data.search as MetricState).counts.evaluations).toBeCloseTo(whole.counts.evaluations, 9);
    expect(data.complete).toBe(true);
  });

  it('leaves out what only the search needs, and is a fraction of it', () => {
    const items = panelItems(records);
    expect(items.some((item) => 'event' in item && (item.event.kind as string) === 'probed')).toBe(false);
    expect(JSON.stringify(items).length).toBeLessThan(0.7 * JSON.stringify(records).length);
  });

  it('keeps every kind of outcome in columns', () => {
    const candidates = records.flatMap(({ event, at }) =>
      event.kind === 'candidate' && 'expression' in event ? [{ ...event, at }] : [],
    );
    expect(new Set(candidates.map(({ outcome }) => outcome.kind)).size).toBe(4);
    const back = unpackCandidates(structuredClone(packCandidates(candidates)));
    expect(back).toEqual(candidates.map((candidate) => ({ ...candidate, kind: undefined })));
  });
});

/** What the panel shows of a state; the revision counts events, of which it gets fewer. */
function known({ byId, counts, improvements, ...state }: MetricState): unknown {
  return {
    ...state,
    revision: 0,
    ids: [...byId.keys()],
    counts: { ...counts, evaluations: 0 },
    improvements: improvements.map(({ evaluations, ...each }) => ({
      ...each,
      evaluations: Math.round(evaluations * 1e6),
    })),
  };
}

/** The synthetic search with the checks and measurements that a real one has before its candidates. */
function withMeasurements(events: readonly JournalRecord[]): JournalRecord[] {
  const all = events.flatMap((record): JournalRecord[] => {
    const { event, at } = record;
    if (event.kind !== 'candidate' || !('expression' in event)) return [record];
    const { id, outcome } = event;
    const probe = { kind: 'ranks', fingerprint: 'a'.repeat(64), whole: false } as const;
    const blocks = outcome.kind === 'full' ? 64 : outcome.kind === 'stopped' ? outcome.blocks : 0;
    const measured: JournalRecord[] =
      blocks === 0
        ? []
        : [
            {
              seq: 0,
              at,
              event: { kind: 'measured', id, rung: 0, measure: { kind: 'loss', blocks, loss: 5 }, seconds: 0.1 },
            },
          ];
    return [
      { seq: 0, at, event: { kind: 'probed', id, expression: event.expression, probe, seconds: 0.1 } },
      ...measured,
      record,
    ];
  });
  return all.map((record, seq) => ({ ...record, seq }));
}
