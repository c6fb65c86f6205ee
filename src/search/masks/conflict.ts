import type { SearchConflict } from '../conflict.ts';
import type { MaskSearchSettings } from './settings.ts';

/** Looks whether the settings of a search for masks go together. */
export function maskSearchConflict({
  centre,
  masks,
}: Pick<MaskSearchSettings, 'centre' | 'masks'>): SearchConflict | undefined {
  if (centre !== 'step' || masks >= 2) return undefined;
  const message = '`centre: step` compares the losses of a step with their mean, which takes two `masks` at least';
  return { settings: ['centre', 'masks'], message, value: 2 };
}
