import type { EvoPressSettings } from './settings.ts';

/** How a search by EvoPress goes, for a person. */
export function evoPressWords({ offspring, generations, rounds, survivors, drop, step }: EvoPressSettings): string {
  const what = drop === 'off' ? `rates in steps of ${step}` : 'layers that go as a whole';
  const left = rounds.length === 1 ? '1 is left after a round' : `${survivors.join(', ')} are left after rounds`;
  return `${offspring} offspring × ${generations} generations of ${what}; ${left} on ${rounds.join(', ')} blocks`;
}
