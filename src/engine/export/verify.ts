import { readBytes } from '../../files/readBytes.ts';
import { join } from 'node:path';
import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import type { Verification, VerifyRequest } from '../../experiment/exportSchema.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { logitsOf } from '../forward/logits.ts';
import type { LoadedModels } from '../forward/loadedModels.ts';
import { type OnnxLogits, runOnnxFile } from '../runtime/onnxFile.ts';
import type { OpenDevices } from '../runtime/openDevices.ts';
import { ggufLogits } from './gguf/exportGguf.ts';
import { ONNX_FILE } from './onnx/onnxModel.ts';

/** Rows of logits that are compared, at most: those of the last tokens, which depend on all. */
export const VERIFIED_ROWS = 128;

/**
 * Largest difference that is still the same model, in units of the largest logit (or of 1). Removing what a mask multiplies by zero
 * leaves every kept weight as it was; sums over fewer terms are only added up in another order. float16 has 11 bits, and bfloat16, to which
 * weights may have been rounded, 8; of 32 weights in a block of Q8_0 the smaller ones have fewer.
 */
const TOLERANCE: Readonly<Record<VerifiedPrecision, number>> = { float32: 1e-4, float16: 5e-2, q8_0: 1e-1 };
type VerifiedPrecision = 'float32' | 'float16' | 'q8_0';

/** @param roundedTo types with fewer bits than there were */
export function precisionOf(
  precision: EvaluationSettings['precision'],
  roundedTo: readonly string[],
): VerifiedPrecision {
  if (roundedTo.includes('Q8_0')) return 'q8_0';
  return precision === 'float16' || roundedTo.length > 0 ? 'float16' : 'float32';
}

/** Bytes: what one buffer holds. */
const MAX_REFERENCE = 2 ** 32;

/**
 * Computes the logits of what lies in an export's folder, and compares them with those in a file. Meant for a process of its own.
 *
 * @throws EspalierError
 */
export async function verifyExport(
  { folder, format, tokens, rows, reference, settings }: VerifyRequest,
  signal: AbortSignal | undefined,
  { devices, models }: { readonly devices: OpenDevices; readonly models: LoadedModels },
): Promise<Verification> {
  const ids = Int32Array.from(tokens);
  const expected = new Float32Array((await readBytes(reference, { maxBytes: MAX_REFERENCE, signal })).buffer);
  if (format === 'onnx') {
    const found = await runOnnxFile(join(folder, ONNX_FILE), ids);
    return { tokens: ids.length, rows, ...compareOnnx(expected, found) };
  }
  const step = (): Promise<void> => {
    throwIfCancelled(signal, 'verifying the export');
    return Promise.resolve();
  };
  const device = await devices.device(settings);
  const actual =
    format === 'gguf'
      ? await ggufLogits(folder, device, ids, rows, step)
      : await logitsOf(await models.load(folder, device, signal), device, ids, rows, step);
  return { tokens: ids.length, rows, ...compareLogits(expected, actual) };
}

/** The larger difference of the two ways, at the last of the tokens that were asked for. @param expected logits of the last tokens */
export function compareOnnx(
  expected: Float32Array,
  { whole, continued }: OnnxLogits,
): Pick<Verification, 'difference' | 'largest'> {
  const [atOnce, cached] = [whole, continued].map((logits) => {
    const count = Math.min(expected.length, logits.length);
    return compareLogits(expected.subarray(-count), logits.subarray(-count));
  });
  return { ...atOnce!, difference: Math.max(atOnce!.difference, cached!.difference) };
}

/** A value that is not a number differs from everything. */
export function compareLogits(
  expected: Float32Array,
  actual: Float32Array,
): Pick<Verification, 'difference' | 'largest'> {
  if (expected.length !== actual.length) return { difference: Number.MAX_VALUE, largest: 0 };
  let [difference, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const apart = Math.abs(expected[i]! - actual[i]!);
    if (!(apart <= difference)) difference = Number.isFinite(apart) ? apart : Number.MAX_VALUE;
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return { difference, largest };
}

/** @throws EspalierError `export/mismatch` */
export function requireSame({ difference, largest }: Verification, precision: VerifiedPrecision, folder: string): void {
  const tolerance = TOLERANCE[precision] * Math.max(1, largest);
  if (difference <= tolerance) return;
  throw new EspalierError({
    code: 'export/mismatch',
    operation: 'comparing the exported model, read back in another process, with the one in memory',
    expected: `logits that differ by at most ${tolerance.toPrecision(2)}`,
    actual: `a difference of ${difference.toPrecision(3)}`,
    remedy: 'Nothing was saved. This is a defect of Espalier or of the disk: try another folder, and report it.',
    file: folder,
  });
}
