import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { textSchema } from '../base/scalarSchemas.ts';

/** What decides the digits of an answer beside the question, as far as it can be named: for people, who compare two. */
export const workClassSchema = z.strictObject({
  espalier: textSchema,
  onnxruntime: textSchema,
  /** cpu, webgpu, cuda. */
  device: textSchema,
  /** The adapter, or the processor with the instructions that kernels are chosen by; the kind again where nothing tells a name. */
  deviceName: textSchema,
  precision: textSchema,
});
export type WorkClass = Immutable<z.infer<typeof workClassSchema>>;
