import type { IdleSearchSettings } from '../../idle.ts';
import type { EvoPressSettings } from './settings.ts';

/** What changes nothing in a search by EvoPress. */
export function idleInEvoPress({ drop }: EvoPressSettings): readonly IdleSearchSettings[] {
  return drop === 'off'
    ? [{ names: ['starts'], why: 'rates begin uniform' }]
    : [{ names: ['step'], why: 'with `drop: sublayers` a layer goes as a whole or stays' }];
}
