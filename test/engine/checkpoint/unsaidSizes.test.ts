import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StructureMethod } from '../../../src/experiment/structure.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { raw32, type RawTensors, readRaw, writeRaw } from '../../support/generate/rewriteWeights.ts';
import { ModelVariants } from '../../support/modelVariants.ts';

// Programs that remove heads and channels (FLAP, LLM-Pruner) leave config.json as it was: the tensors alone say what is left.

let models: ModelVariants;
let count = 0;
beforeAll(async () => {
  models = await ModelVariants.create();
});
afterAll(() => models.remove());

/** A model with blocks of different sizes, as Espalier exports it, and one with the same tensors under the dense model's config.json. */
async function removed(name: FamilyName, method: StructureMethod, rates: readonly number[]) {
  const { folder: dense } = await models.familyOf(name);
  const said = path.join(models.root, `said-${count++}`);
  const plan = await models.planOf(name, dense);
  const evaluation = {
    metric: method,
    structure: { kind: 'scored', score: { kind: 'method', method }, rates: { kind: 'given', rates } },
    sparsity: { kind: 'unstructured', share: 0.4 },
  } as const;
  await models.engine.exportModel({ ...plan, evaluations: [evaluation] }, { folder: said, format: 'huggingface' });
  const unsaid = `${said}-un`;
  await cp(said, unsaid, { recursive: true });
  await rm(path.join(unsaid, 'config.json'));
  await writeFile(path.join(unsaid, 'config.json'), await readFile(path.join(dense, 'config.json')));
  return { said, unsaid };
}

function change(folder: string, edit: (tensors: RawTensors) => void): void {
  const tensors = readRaw(folder);
  edit(tensors);
  writeRaw(path.join(folder, 'model.safetensors'), tensors);
}

describe('sizes that only the tensors say are read from them', () => {
  it.each<[FamilyName, StructureMethod, says: RegExp]>([
    ['llama-1', 'magnitude', /^fewer heads or channels in some blocks \(FLAP, LLM-Pruner\)$/],
    ['llama-2 grouped queries', 'wanda-sp', /fewer heads/],
    ['llama-3.1', 'flap', /^fewer heads or channels in some blocks .* and biases of the output projections \(FLAP\)$/],
    ['llama biases', 'flap', /fewer heads/],
    ['mistral', 'flap', /biases/],
    ['qwen3', 'wanda-sp', /fewer heads/],
    ['opt', 'wanda-sp', /fewer heads/],
    ['gpt-neox', 'flap', /fewer heads/],
  ])('%s after %s', async (name, method, says) => {
    const { said, unsaid } = await removed(name, method, [0.3, 0.6, 0]);
    await models.expectSameModel(name, unsaid, said);
    expect((await models.notesOf(unsaid)).join()).toMatch(says);
    expect(await models.notesOf(said)).toEqual([]);
  });

  it('and FLAP’s biases alone', async () => {
    const { unsaid } = await removed('llama-1', 'flap', [0, 0, 0]);
    expect((await models.notesOf(unsaid)).join()).toMatch(/^biases of the output projections \(FLAP\)$/);
  });
});

describe('and not where they are not of one mind', () => {
  it.each<[what: string, edit: (tensors: RawTensors) => void, says: RegExp]>([
    [
      'part of a head',
      (all) => all.set('model.layers.0.self_attn.v_proj.weight', raw32([5, 32], new Float32Array(160))),
      /q_proj\.weight of shape/,
    ],
    ['a projection too few', (all) => all.delete('model.layers.1.mlp.up_proj.weight'), /q_proj\.weight of shape/],
    [
      'another width',
      (all) => all.set('model.layers.1.input_layernorm.weight', raw32([31], new Float32Array(31))),
      /input_layernorm/,
    ],
    [
      'a bias in some blocks alone',
      (all) => all.set('model.layers.1.mlp.down_proj.bias', raw32([32], new Float32Array(32))),
      /q_proj\.weight of shape/,
    ],
  ])('%s', async (_, edit, says) => {
    const { unsaid } = await removed('llama-1', 'magnitude', [0.3, 0.6, 0]);
    change(unsaid, edit);
    const failure = await failureOf(() => models.numbersOf('llama-1', unsaid));
    expect([failure.code, failure.message]).toEqual(['checkpoint/tensor', expect.stringMatching(says)]);
  });
});
