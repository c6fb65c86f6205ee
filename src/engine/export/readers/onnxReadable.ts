import type { FormatVerdict } from '../../../experiment/readersSchema.ts';
import type { FormatRule } from './formatRule.ts';

/** Operators of the standard alone, whatever the sizes are. */
export const onnxruntimeReadable: FormatRule = () => LOADS;

const LOADS: FormatVerdict = { verdict: 'loads', why: 'operators of the standard alone' };

/** Keys and values have the names and the order that its `generate()` takes, in blocks of any size. */
export const transformersJsReadable: FormatRule = () => ({
  verdict: 'loads',
  why: 'onnx/model.onnx takes and gives keys and values of earlier tokens',
});
