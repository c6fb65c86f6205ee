import { expect, it } from 'vitest';
import { fromPanelSchema } from '../../../src/extension/search/panelMessageSchema.ts';

it.each<[boolean, unknown]>([
  [true, { kind: 'ready' }],
  [true, { kind: 'insert', id: 12 }],
  [true, { kind: 'curves', over: 'sparsity', metrics: [{ label: 'best (#3)', expression: 'mul(W,X)' }] }],
  [true, { kind: 'speed', of: { kind: 'configuration', id: 0 } }],
  [true, { kind: 'exportModel', of: { kind: 'mask' } }],
  [true, { kind: 'exportPicture', data: 'iVBORw0KGgo=' }],
  [false, undefined],
  [false, 'ready'],
  [false, { kind: 'constructor' }],
  [false, { kind: 'insert', id: -1 }],
  [false, { kind: 'insert', id: '12' }],
  [false, { kind: 'speed', of: { kind: 'configuration' } }],
  [false, { kind: 'exportTable', format: '../../x' }],
  [false, { kind: 'exchange', call: Number.NaN }],
])('%s: a page may say %o', (isTaken, message) => {
  expect(fromPanelSchema.safeParse(message).success).toBe(isTaken);
});
