import { blockShape } from '../../families/config.ts';
import { allParameters, type ModelConfig } from '../../families/families.ts';
import { sizeOf } from '../../graph/shape.ts';
import type { FormatRule } from '../readers/formatRule.ts';

/** Bytes that a page's WebAssembly can hold. */
const PAGE_MEMORY = 2 ** 32;

/** The verdict on onnxruntime: the graph is made for the model, so that no size and no family stands in the way. */
export const onnxruntimeReadable: FormatRule = (config) => ({
  verdict: 'loads',
  why: `operators of the standard alone${headsWords(config)}`,
});

/** The verdict on transformers.js, which takes the sizes of keys and values from the graph. */
export const transformersJsReadable: FormatRule = (config) => {
  const bytes = allParameters(config).reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
  const where = bytes < PAGE_MEMORY ? '' : ', in Node alone: a page has room for 4 GB';
  return { verdict: 'loads', why: `keys and values are in its layout${headsWords(config)}${where}` };
};

/** What is said of blocks that a program which takes sizes from config.json would stumble over. */
function headsWords(config: ModelConfig): string {
  const heads = config.windows.map((_, index) => blockShape(config, index).kvHeads);
  if (heads.includes(0)) return ', none for blocks without heads';
  return new Set(heads).size > 1 ? ', each block with heads of its own' : '';
}
