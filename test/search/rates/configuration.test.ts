import { expect, it } from 'vitest';
import { configurationText } from '../../../src/search/rates/configuration.ts';
import type { DroppedLayers } from '../../../src/search/rates/configuration.ts';

it.each<[dropped: DroppedLayers | undefined, text: string]>([
  [undefined, '20 46 %'],
  [{ attention: [0, 4], mlp: [11] }, '20 46 %, without attention 1, 5 and MLP 12'],
  [{ attention: [], mlp: [1, 2] }, '20 46 %, without MLP 2, 3'],
  [{ attention: [3], mlp: [] }, '20 46 %, without attention 4'],
  [{ attention: [], mlp: [] }, '20 46 %, without any layer dropped'],
])('a configuration is told with its blocks counted from 1, as in the panel: %j', (dropped, text) => {
  expect(configurationText({ rates: [0.2, 0.456], ...(dropped && { dropped }) })).toBe(text);
});
