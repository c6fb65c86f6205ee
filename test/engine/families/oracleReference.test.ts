import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  askPeer,
  REFERENCE_CALIBRATION,
  REFERENCE_MODEL,
  REFERENCE_TEXT,
  whyNoPeer,
  type PeerReply,
} from '../../support/peer.ts';
import { readOracleConfig } from '../../support/oracle/config.ts';
import { METRICS } from '../../support/oracle/metrics.ts';
import { loadOracle, oracleModel, type OracleModel } from '../../support/oracle/model.ts';
import { perplexity } from '../../support/oracle/perplexity.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { evenSamples, pruned } from '../../support/oracle/prune.ts';
import { tokenize } from '../../support/oracle/tokenize.ts';

// The float64 oracle and the PyTorch reference were written apart from each other; few tokens, as the oracle is slow.
const [LENGTH, SAMPLES, BLOCKS] = [32, 2, 2];
const missing = whyNoPeer();
const title = 'the oracle agrees with the reference on';

describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, () => {
  let peer: PeerReply;
  let model: OracleModel;
  let tokens: readonly number[];
  beforeAll(async () => {
    peer = await askPeer({
      length: LENGTH,
      samples: SAMPLES,
      blocks: BLOCKS,
      evaluations: [
        { name: 'dense' },
        { name: 'wanda', expression: METRICS.wanda, share: 0.5, calibrate: 'sequential' },
      ],
    });
    model = loadOracle(REFERENCE_MODEL);
    tokens = tokenize(REFERENCE_MODEL, readFileSync(REFERENCE_TEXT, 'utf8'));
  }, 60_000);
  afterAll(() => peer.remove());

  test('the token ids of a whole text', () => {
    expect(tokens).toEqual([...peer.tokens]);
  });

  test('the dense perplexity', () => {
    expect(Math.abs(perplexity(model, tokens, LENGTH, BLOCKS) / peer.values.get('dense')! - 1)).toBeLessThan(1e-5);
  });

  test('the perplexity after pruning with Wanda', () => {
    const calibration = tokenize(REFERENCE_MODEL, readFileSync(REFERENCE_CALIBRATION, 'utf8'));
    const rebuild = (tensors: OracleModel['tensors']) => oracleModel(readOracleConfig(REFERENCE_MODEL), tensors);
    const halved = pruned(model, rebuild, {
      expression: fromPrefix(METRICS.wanda),
      sparsity: { kind: 'unstructured', share: 0.5 },
      group: 'row',
      calibrate: 'sequential',
      samples: evenSamples(calibration, SAMPLES, LENGTH),
    });
    expect(Math.abs(perplexity(halved, tokens, LENGTH, BLOCKS) / peer.values.get('wanda')! - 1)).toBeLessThan(1e-3);
  });
});
