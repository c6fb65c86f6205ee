import { describe, expect, test } from 'vitest';
import { logitsOf } from '../../../src/engine/forward/logits.ts';
import { modelLength } from '../../../src/engine/forward/modelLength.ts';
import { CachedForward } from '../../../src/engine/generation/cachedForward.ts';
import { generate } from '../../../src/engine/generation/generate.ts';
import { familyDevices } from '../../support/familyDevices.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer.ts';
import { type DenseModel, openDenseModel } from '../structure/denseModel.ts';

// Going on from keys and values says the same as a pass over the whole text, by the programs of an evaluation.

const noStep = (): Promise<void> => Promise.resolve();

describe.each(await familyDevices())('%s on %s', (name, on) => {
  test('texts of different lengths go on token by token as a pass over each whole text says', async () => {
    const model = await openDenseModel(name, 2, 14, on);
    try {
      const tokenizer = await loadTokenizer(model.checkpoint.tokenizerFolder);
      const [first, second] = model.inputs.samples as [Int32Array, Int32Array];
      const prompts = [first, second.subarray(0, 9)];
      const most = 12;
      const asked = { ...model.inputs, checkpoint: model.checkpoint, tokenizer, ends: new Set<number>() };
      const { answers } = await generate(asked, { prompts, most });
      for (const [index, prompt] of prompts.entries()) {
        const { ids } = answers[index]!;
        expect(ids).toEqual(await byWholeTexts(name, model, prompt, ids));
        expect(ids.length).toBe(most);
      }
    } finally {
      await model.close();
    }
  });
});

// Windows, ALiBi, learned positions, experts, rotations that depend on the length, and those that reach over several sizes of the cache.
const LONG: readonly FamilyName[] = [
  'mistral',
  'llama dynamic',
  'llama longrope, long',
  'bloom',
  'falcon rw',
  'opt',
  'phi-3',
  'mixtral',
  'gemma2, layer types',
  'cohere2',
];

test.each(await familyDevices(LONG))('%s on %s goes on through a cache that grows', async (name, on) => {
  const model = await openDenseModel(name, 1, 40, on);
  const forward = new CachedForward(model.inputs, 1);
  try {
    const [sample] = model.inputs.samples as [Int32Array];
    const length = Math.min(150, modelLength(model.checkpoint.config));
    const text = Int32Array.from({ length }, (_, i) => sample[(i * 7) % sample.length]!);
    for (let end = Math.min(30, length - 4), begin = 0; begin < length; begin = end, end += end % 3 === 0 ? 1 : 2) {
      const reached = Math.min(end, length);
      if (dependsOnLength(name)) forward.cut(0, 0);
      const [logits] = await forward.feed([text.subarray(dependsOnLength(name) ? 0 : begin, reached)], noStep);
      if (reached % 7 > 1 && reached < length) continue;
      const expected = await logitsOf(model.inputs, model.inputs.device, text.subarray(0, reached), 1, noStep);
      expect(difference(logits!, expected)).toBeLessThan(2e-4);
    }
  } finally {
    forward.dispose();
    await model.close();
  }
});

test('a prompt in several chunks, and a text that goes back, are as a whole text', async () => {
  const model = await openDenseModel('llama yarn, every option', 1, 40);
  const forward = new CachedForward(model.inputs, 2);
  try {
    const [sample] = model.inputs.samples as [Int32Array];
    const text = Int32Array.from({ length: 421 }, (_, i) => sample[(i * 7) % sample.length]!);
    const last = async (end: number): Promise<Float32Array> =>
      logitsOf(model.inputs, model.inputs.device, text.subarray(0, end), 1, noStep);
    const [long, short] = await forward.feed([text.subarray(0, 420), text.subarray(0, 3)], noStep);
    expect(difference(long!, await last(420))).toBeLessThan(2e-4);
    expect(difference(short!, await last(3))).toBeLessThan(2e-4);
    forward.cut(0, 300);
    const [again, none] = await forward.feed([text.subarray(300, 421), undefined], noStep);
    expect(none).toBeUndefined();
    expect(difference(again!, await last(421))).toBeLessThan(2e-4);
  } finally {
    forward.dispose();
    await model.close();
  }
});

/** The likeliest token after each text that ends behind the prompt. Where angles depend on the length, each of these is a text of its own. */
async function byWholeTexts(
  name: FamilyName,
  { inputs }: DenseModel,
  prompt: Int32Array,
  found: readonly number[],
): Promise<number[]> {
  const text = Int32Array.of(...prompt, ...found.slice(0, -1));
  const { vocabulary } = inputs.checkpoint.config;
  const rows: Float32Array[] = [];
  if (dependsOnLength(name)) {
    for (let end = prompt.length; end <= text.length; end++) {
      rows.push(await logitsOf(inputs, inputs.device, text.subarray(0, end), 1, noStep));
    }
  } else {
    const logits = await logitsOf(inputs, inputs.device, text, found.length, noStep);
    for (let row = 0; row < found.length; row++) rows.push(logits.subarray(row * vocabulary, (row + 1) * vocabulary));
  }
  return rows.map((logits) => logits.indexOf(logits.reduce((a, b) => Math.max(a, b))));
}

function dependsOnLength(name: FamilyName): boolean {
  return name.includes('dynamic') || name.includes('longrope');
}

function difference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}
