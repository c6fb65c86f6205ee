import type { IdleContext, IdleSearchSettings } from '../idle.ts';
import type { MetricSearchSettings } from './settings.ts';

/** What changes nothing in genetic programming. */
export function idleInMetricSearch(
  { proposals }: MetricSearchSettings,
  { llm: { provider, ...asked } }: IdleContext,
): readonly IdleSearchSettings[] {
  if (proposals === 0) {
    const names = [...(provider === undefined || provider === 'none' ? [] : ['provider']), ...Object.keys(asked)];
    return names.length === 0 ? [] : [{ names, why: 'nobody is asked while `proposals` is 0' }];
  }
  return provider === 'none' ? [{ names: ['proposals', ...Object.keys(asked)], why: NOBODY }] : [];
}

const NOBODY = 'with `provider: none` nobody is asked';

/** What changes nothing in random search. */
export function idleInRandomSearch(_: MetricSearchSettings, { llm }: IdleContext): readonly IdleSearchSettings[] {
  return [{ names: ['proposals', ...Object.keys(llm)], why: '`method: random` draws all metrics at random' }];
}
