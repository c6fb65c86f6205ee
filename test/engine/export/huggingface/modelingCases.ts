import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../../src/engine/checkpoint/checkpoint.ts';
import { compareLogits } from '../../../../src/engine/export/verify.ts';
import type { Layout } from '../../../../src/experiment/exportFormats.ts';
import { DEFAULT_SETTINGS } from '../../../../src/experiment/settings.ts';
import { exportTests } from '../../../support/exports.ts';
import type { FamilyName } from '../../../support/generate/families.ts';
import { PRUNED_SHAPES, type PrunedShape } from '../../../support/llamaCpp/ggufCases.ts';
import { logitsOfFolder } from '../../../support/llamaCpp/ggufOutcome.ts';
import { modeledLogits } from '../../../support/modeledLogits.ts';
import { python } from '../../../support/peer.ts';

export type ModelingCase = readonly [family: FamilyName, shape: PrunedShape, layout: Layout];

const IDS = Int32Array.from({ length: 24 }, (_, at) => ((at + 1) * 37) % 300);
const missing = python() === undefined ? ' (skipped: no Python here imports torch)' : '';

/** Exports each, and compares what its modelling file computes with what we do of the same folder. */
export function describeModelingFile(cases: readonly ModelingCase[]): void {
  const at = exportTests('pruned');
  describe.skipIf(missing !== '')(`the modelling file computes what Espalier does${missing}`, () => {
    it('logits differ by less than 1e-4', async () => {
      const folders: string[] = [];
      for (const [name, shape, layout] of cases) {
        const folder = `${at.folder}-${folders.length}`;
        const family = await at.family(name);
        const plan = { model: family.folder, text: family.textFile, calibration: family.calibrationFile };
        const settings = { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 2, blocks: 1, length: 24 } as const;
        const planned = { ...plan, evaluations: [PRUNED_SHAPES[shape]], settings };
        const report = await at.engine.exportModel(planned, { folder, format: 'huggingface', layout });
        expect(report.readers.find(({ reader }) => reader === 'transformers')).toMatchObject({ verdict: 'loads-with' });
        if (layout === 'deci') await expectDeci(folder);
        folders.push(folder);
      }
      const modeled = await modeledLogits(folders, IDS);
      for (const [index, folder] of folders.entries()) {
        const { difference, largest } = compareLogits(await logitsOfFolder(folder, IDS), modeled[index]!);
        expect(difference, cases[index]!.join(', ')).toBeLessThan(1e-4 * Math.max(1, largest));
      }
    });
  });
}

interface DeciConfig {
  readonly num_attention_heads: number;
  readonly head_dim: number;
  readonly hidden_size: number;
  readonly qkv_bias: boolean;
  readonly attention_bias: boolean;
  readonly mlp_bias: boolean;
  readonly tie_word_embeddings: boolean;
  readonly block_configs: readonly {
    readonly attention: { readonly no_op: boolean; readonly n_heads_in_group: number };
    readonly ffn: { readonly no_op: boolean; readonly intermediate_size: number };
  }[];
}

/** The tensors are those, in name and shape, that the modules of vLLM's `nemotron_nas.py` have for this config.json: none missing, none beside them. */
async function expectDeci(folder: string): Promise<void> {
  const config = JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8')) as DeciConfig;
  const { hidden_size: hidden, num_attention_heads: heads, head_dim: size } = config;
  const expected = new Map<string, readonly number[]>();
  for (const [index, { attention, ffn }] of config.block_configs.entries()) {
    const linear = (name: string, shape: readonly [number, number], biased: boolean): void => {
      expected.set(`model.layers.${index}.${name}.weight`, shape);
      if (biased) expected.set(`model.layers.${index}.${name}.bias`, [shape[0]]);
    };
    if (!attention.no_op) {
      const keys = Math.floor(heads / attention.n_heads_in_group) * size;
      expected.set(`model.layers.${index}.input_layernorm.weight`, [hidden]);
      linear('self_attn.q_proj', [heads * size, hidden], config.qkv_bias);
      linear('self_attn.k_proj', [keys, hidden], config.qkv_bias);
      linear('self_attn.v_proj', [keys, hidden], config.qkv_bias);
      linear('self_attn.o_proj', [hidden, heads * size], config.attention_bias);
    }
    if (!ffn.no_op) {
      expected.set(`model.layers.${index}.post_attention_layernorm.weight`, [hidden]);
      linear('mlp.gate_proj', [ffn.intermediate_size, hidden], config.mlp_bias);
      linear('mlp.up_proj', [ffn.intermediate_size, hidden], config.mlp_bias);
      linear('mlp.down_proj', [hidden, ffn.intermediate_size], config.mlp_bias);
    }
  }
  const checkpoint = await openCheckpoint(folder);
  const stored = [...checkpoint.tensors].filter(([name]) => name.startsWith('model.layers.'));
  checkpoint.close();
  const sorted = (entries: Iterable<[string, readonly number[]]>) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  expect(sorted(stored.map(([name, { shape }]) => [name, shape]))).toEqual(sorted(expected));
}
