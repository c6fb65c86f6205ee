import { EspalierError } from '../../base/errors.ts';
import { type InferenceSession, loadOrt, type Tensor } from './ort.ts';

/** Logits [tokens, vocabulary] of one sequence, in two ways. */
export interface OnnxLogits {
  /** All tokens at once. */
  readonly whole: Float32Array;
  /** The last tokens alone, with keys and values of those before. */
  readonly continued: Float32Array;
}

const [PAST, PRESENT] = ['past_key_values.', 'present.'];

/**
 * Runs a language model that lies in an ONNX file as other programs would: onnxruntime's defaults, on the CPU, by the file's path. The last quarter of the
 * tokens once more, with keys and values of the others.
 *
 * @throws EspalierError `device/failed`
 */
export async function runOnnxFile(file: string, tokens: Int32Array): Promise<OnnxLogits> {
  const { InferenceSession, Tensor } = loadOrt();
  const int64 = (ids: Int32Array): Tensor => new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]);
  const earlier = tokens.length - Math.max(1, tokens.length >> 2);
  try {
    const session = await InferenceSession.create(file, { executionProviders: ['cpu'], logSeverityLevel: 4 });
    const shared = {
      attention_mask: int64(new Int32Array(tokens.length).fill(1)),
      num_logits_to_keep: new Tensor('int64', [0n], []),
    };
    const run = (ids: Int32Array, past: Readonly<Record<string, Tensor>>): Promise<InferenceSession.ReturnType> =>
      session.run({ ...past, ...shared, input_ids: int64(ids) });
    const cached = session.inputNames.filter((name) => name.startsWith(PAST));
    const none = session.inputMetadata
      .filter(({ name }) => cached.includes(name))
      .map((input) => {
        if (!input.isTensor) throw new TypeError(`${input.name} is no tensor`);
        return [input.name, new Tensor('float32', [], [1, Number(input.shape[1]), 0, Number(input.shape[3])])];
      });
    const whole = await run(tokens, Object.fromEntries(none) as Record<string, Tensor>);
    const past = cached.map((name) => [name, firstTokens(whole[name.replace(PAST, PRESENT)]!, earlier)]);
    const continued = await run(tokens.subarray(earlier), Object.fromEntries(past) as Record<string, Tensor>);
    await session.release();
    return { whole: whole['logits']!.data as Float32Array, continued: continued['logits']!.data as Float32Array };
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

/** Of keys or values [1, heads, tokens, dim] those of the first tokens. */
function firstTokens({ data, dims }: Tensor, count: number): Tensor {
  const [, heads, tokens, dim] = dims as [number, number, number, number];
  const kept = new Float32Array(heads * count * dim);
  for (let head = 0; head < heads; head++) {
    const begin = head * tokens * dim;
    kept.set((data as Float32Array).subarray(begin, begin + count * dim), head * count * dim);
  }
  const { Tensor } = loadOrt();
  return new Tensor('float32', kept, [1, heads, count, dim]);
}
