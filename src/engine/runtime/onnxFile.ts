import { EspalierError } from '../../base/errors.ts';
import { loadOrt } from './ort.ts';

/**
 * Runs a language model that lies in an ONNX file as other programs would: onnxruntime's defaults, on the CPU, by the file's path.
 *
 * @returns logits [tokens, vocabulary] of one sequence
 * @throws EspalierError `device/failed`
 */
export async function runOnnxFile(file: string, tokens: Int32Array): Promise<Float32Array> {
  const { InferenceSession, Tensor } = loadOrt();
  try {
    const session = await InferenceSession.create(file, { executionProviders: ['cpu'], logSeverityLevel: 4 });
    const ids = new Tensor('int64', BigInt64Array.from(tokens, BigInt), [1, tokens.length]);
    const { logits } = await session.run({ input_ids: ids });
    await session.release();
    return logits!.data as Float32Array;
  } catch (cause) {
    throw new EspalierError(
      {
        code: 'device/failed',
        operation: `running ${file} in onnxruntime`,
        expected: 'logits',
        actual: (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!.slice(0, 500),
        remedy: 'This is a defect of Espalier, or the model is too large for this machine’s memory.',
        file,
      },
      { cause },
    );
  }
}
