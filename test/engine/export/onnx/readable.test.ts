import { expect, it } from 'vitest';
import { parseConfig } from '../../../../src/engine/checkpoint/readConfig.ts';
import { onnxruntimeReadable, transformersJsReadable } from '../../../../src/engine/export/onnx/readable.ts';
import { FAMILIES } from '../../../support/generate/families.ts';

const { config: values } = FAMILIES['llama-2 grouped queries'];
const whole = { heads: 4, kv_heads: 2, intermediate: 56 };

it.each<[string, object, string, string]>([
  ['blocks that are alike', {}, 'operators of the standard alone', 'keys and values are in its layout'],
  [
    'fewer heads in one block',
    { espalier: { format: 1, blocks: [whole, { ...whole, heads: 2, kv_heads: 1 }, whole] } },
    'operators of the standard alone, each block with heads of its own',
    'keys and values are in its layout, each block with heads of its own',
  ],
  [
    'a block without heads',
    { espalier: { format: 1, blocks: [whole, { ...whole, heads: 0, kv_heads: 0 }, whole] } },
    'operators of the standard alone, none for blocks without heads',
    'keys and values are in its layout, none for blocks without heads',
  ],
  [
    'more than a page holds',
    { vocab_size: 8_000_000, hidden_size: 256 },
    'operators of the standard alone',
    'keys and values are in its layout, in Node alone: a page has room for 4 GB',
  ],
])('%s', (_, fields, inOnnxruntime, inTransformersJs) => {
  const config = parseConfig({ ...values, ...fields }, 'config.json');
  expect(onnxruntimeReadable(config)).toEqual({ verdict: 'loads', why: inOnnxruntime });
  expect(transformersJsReadable(config)).toEqual({ verdict: 'loads', why: inTransformersJs });
});
