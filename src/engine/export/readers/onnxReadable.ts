import type { FormatVerdict } from '../../../experiment/readersSchema.ts';
import type { FormatRule } from './formatRule.ts';

/** Operators of the standard alone, whatever the sizes are. */
export const onnxruntimeReadable: FormatRule = () => LOADS;

const LOADS: FormatVerdict = { verdict: 'loads', why: 'operators of the standard alone' };

/** A forward pass is right; `generate()` counts on keys and values, which the model neither takes nor gives. */
export const transformersJsReadable: FormatRule = () => ({
  verdict: 'refuses',
  why: 'it looks for onnx/model.onnx with keys and values of earlier tokens',
});
