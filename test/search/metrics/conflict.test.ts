import { describe, expect, it } from 'vitest';
import { searchConflict } from '../../../src/search/metrics/conflict.ts';
import { type MetricSearchSettings, DEFAULT_METRIC_SEARCH_SETTINGS } from '../../../src/search/metrics/settings.ts';

describe('settings of a search that do not go together', () => {
  const table: [Partial<MetricSearchSettings>, string | undefined][] = [
    [{}, undefined],
    [{ crossover: 0.7, mutation: 0.3 }, undefined],
    [{ crossover: 0.1, mutation: 0.9000000000000001 }, undefined],
    [{ crossover: 0.7, mutation: 0.31 }, 'mutation'],
    [{ crossover: 1, mutation: 1 }, 'mutation'],
    [{ population: 5, elites: 4 }, undefined],
    [{ population: 5, elites: 5 }, 'elites'],
    [{ population: 2, elites: 9 }, 'elites'],
    [{ evolution: 'steady-state', proposals: 0.2 }, 'proposals'],
    [{ evolution: 'steady-state', proposals: 0.2, method: 'random' }, undefined],
    [{ proposals: 0.2 }, undefined],
  ];
  it.each(table)('%j: %s', (change, second) => {
    const settings = { ...DEFAULT_METRIC_SEARCH_SETTINGS, ...change };
    const conflict = searchConflict(settings);
    expect(conflict?.settings[1]).toBe(second);
    // The value that is proposed goes with the rest.
    if (conflict) expect(searchConflict({ ...settings, [conflict.settings[1]]: conflict.value })).toBeUndefined();
  });
});
