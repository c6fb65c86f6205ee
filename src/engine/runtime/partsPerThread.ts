import { Rng } from '../../base/rng.ts';
import { encodeModel } from '../graph/onnx/encodeModel.ts';
import { buildGemmGraph } from './gemmGraph.ts';
import { loadOrt } from './ort.ts';
import { HYBRID_PARTS } from './steadyThreads.ts';

let found: Promise<number> | undefined;

/**
 * The parts that ONNX Runtime makes of a product for each thread here: more than one where it takes the processor's cores to be of several kinds.
 * It does not say which it does, so a product that two parts leave as it is, and more do not, is computed once in a process (some ms).
 */
export function partsPerThread(): Promise<number> {
  // What failed once is tried again when asked for again.
  found ??= measure().catch((error: unknown) => {
    found = undefined;
    throw error;
  });
  return found;
}

async function measure(): Promise<number> {
  const [rows, depth, columns] = [16, 256, 160];
  const { InferenceSession, Tensor } = loadOrt();
  const model = encodeModel(buildGemmGraph(rows, depth, columns, 'float32'), { provider: 'cpu' });
  const rng = new Rng(1);
  const random = (shape: readonly [number, number]): InstanceType<typeof Tensor> =>
    new Tensor(
      'float32',
      Float32Array.from({ length: shape[0] * shape[1] }, () => rng.normal()),
      shape,
    );
  const inputs = { x: random([rows, depth]), weight: random([columns, depth]) };
  const product = async (intraOpNumThreads: number): Promise<Float32Array> => {
    const options = { executionProviders: ['cpu'], intraOpNumThreads, logSeverityLevel: 4 } as const;
    const session = await InferenceSession.create(model, options);
    try {
      return (await session.run(inputs))['y']!.data as Float32Array;
    } finally {
      await session.release();
    }
  };
  const [one, two] = [await product(1), await product(2)];
  return one.every((value, index) => value === two[index]) ? 1 : HYBRID_PARTS;
}
