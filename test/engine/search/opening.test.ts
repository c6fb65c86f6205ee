import { describe, expect, it } from 'vitest';
import { openingOf } from '../../../src/engine/search/opening.ts';
import { DEFAULT_ROWS } from '../../../src/experiment/corpusRows.ts';
import type { Provenance } from '../../../src/experiment/resultSchema.ts';

const HASH = '0'.repeat(64);
const PROVENANCE: Provenance = {
  ...{ model: '/m', modelHash: HASH, architecture: 'LlamaForCausalLM', parameters: 1 },
  ...{ text: '/t', textHash: HASH, textTokens: 64, blocks: 2, length: 32 },
  ...{ calibration: '/c', calibrationHash: HASH, samples: 4, offsets: 'random', seed: 0, group: 'row' },
  ...{ device: 'cpu', deviceName: 'cpu', precision: 'float32', versions: {} },
};
const OWN: Partial<Provenance> = {
  ...{ gradients: '/g', gradientsHash: HASH, gradientSamples: 2, gradientLength: 16, gradientOffsets: 'python' },
};
const fingerprintOf = (more: Partial<Provenance>): string =>
  openingOf([1, 2], { ...PROVENANCE, ...more }, 'perplexity', {}).fingerprint;

describe('measurements of two runs are comparable only where', () => {
  it.each<[what: string, more: Partial<Provenance>]>([
    ['the calibration text is the same', { calibrationHash: '1'.repeat(64) }],
    ['its rows are taken alike', { rows: { calibration: { ...DEFAULT_ROWS, first: 3 } } }],
    ['G has no samples of its own', OWN],
  ])('%s', (_, more) => {
    expect(fingerprintOf(more)).not.toBe(fingerprintOf({}));
  });

  it.each<[what: string, more: Partial<Provenance>]>([
    ['text', { gradientsHash: '1'.repeat(64) }],
    ['number', { gradientSamples: 3 }],
    ['length', { gradientLength: 8 }],
    ['way of sampling', { gradientOffsets: 'documents' }],
    ['rows', { rows: { gradients: { ...DEFAULT_ROWS, join: 'space' } } }],
  ])('samples of G’s own have the same %s', (_, more) => {
    expect(fingerprintOf({ ...OWN, ...more })).not.toBe(fingerprintOf(OWN));
  });

  it('where the texts lie decides nothing', () => {
    const elsewhere = { text: '/x/t', calibration: '/x/c', gradients: '/x/g' };
    expect(fingerprintOf({ ...OWN, ...elsewhere })).toBe(fingerprintOf(OWN));
  });
});
