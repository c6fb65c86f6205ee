import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { unpackBits } from '../../../src/experiment/components.ts';
import type { PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import {
  askPeer,
  type PeerReply,
  REFERENCE_CALIBRATION,
  REFERENCE_MODEL,
  REFERENCE_TEXT,
  whyNoPeer,
} from '../../support/peer.ts';

// The reference on more rates and more text than the tests of every day have time for.

const [LENGTH, SAMPLES, BLOCKS] = [256, 16, 64];

const uniform = (rate: number) => ({ name: `uniform ${rate}`, rates: Array.from({ length: 6 }, () => rate) });
const WAYS = [
  ...[0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.625, 0.7, 0.9].map(uniform),
  { name: 'rising', rates: [0, 0.2, 0.4, 0.6, 0.8, 1] },
  { name: 'falling', rates: [0.9, 0.72, 0.4375, 0.3, 0.1, 0.001] },
];

const missing = whyNoPeer();
const title = 'Wanda-sp on the trained checkpoint: the components kept, bit by bit, and the perplexity';

describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, () => {
  let peer: PeerReply;
  let results: readonly PerplexityResult[];
  beforeAll(async () => {
    peer = await askPeer({ length: LENGTH, samples: SAMPLES, blocks: BLOCKS, evaluations: WAYS });
    const engine = createEngine();
    results = await engine.evaluate({
      ...{ model: REFERENCE_MODEL, text: REFERENCE_TEXT, calibration: REFERENCE_CALIBRATION },
      evaluations: WAYS.map(({ name, rates }) => ({
        metric: name,
        structure: {
          kind: 'scored',
          score: { kind: 'method', method: 'wanda-sp' },
          rates: name.startsWith('uniform') ? { kind: 'uniform' } : { kind: 'given', rates },
        },
        sparsity: { kind: 'unstructured', share: rates[0]! },
      })),
      settings: {
        ...DEFAULT_SETTINGS,
        ...{ device: 'cpu', samples: SAMPLES, length: LENGTH, blocks: BLOCKS, offsets: 'even' },
      },
    });
    await engine.dispose();
  }, 600_000);
  afterAll(() => peer.remove());

  test.each(WAYS)('$name', ({ name }) => {
    const result = results.find(({ metric }) => metric === name)!;
    expect(
      result.structure!.blocks.map(({ groupBits, groups, channelBits, channels }) => [
        [...unpackBits(groupBits, groups.of)],
        [...unpackBits(channelBits, channels.of)],
      ]),
    ).toEqual(peer.kept.get(name));
    expect(Math.abs(result.perplexity / peer.values.get(name)! - 1)).toBeLessThan(1e-3);
  });
});
