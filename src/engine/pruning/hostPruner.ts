import type { Expression } from '../../metric/expression.ts';
import { operandsOf } from '../../metric/measure.ts';
import { OPERATIONS } from '../../metric/operations.ts';
import { OPERANDS } from '../../metric/operands.ts';
import { printPrefix } from '../../metric/print.ts';
import type { Device, Program } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import { ReusedArrays } from '../runtime/reusedArrays.ts';
import type { KeptWeight } from './keptWeights.ts';
import { LowestSelection } from './lowestSelection.ts';
import type { RankedLayer } from './rankedLayer.ts';
import { ScoreSummary } from './scoreCheck.ts';
import { buildScoreGraph } from './scoreGraph.ts';

/** Elements of some rows whose scores stay in a core's second cache until they are ranked. */
const CACHED = 1 << 18;

/**
 * Prunes weights that lie in this process. A program scores them, and what goes is selected here: ONNX Runtime can only sort indices and scatter
 * zeros, which takes several times as long. Where a row is scored and ranked by itself, some rows at a time are.
 */
export class HostPruner {
  private readonly device: Device;
  private readonly selection = new LowestSelection();
  private readonly arrays = new ReusedArrays();

  constructor(device: Device) {
    this.device = device;
  }

  /**
   * The weight with the lowest scores of each group set to zero; of equal scores the first go first.
   *
   * @param pruned what it is written to, as long as the weight and none of the operands
   * @throws EspalierError `metric/invalid-score`
   */
  async prune({ layer, expression, metric, operands, groups }: RankedLayer, pruned: Float32Array): Promise<KeptWeight> {
    const [out, columns] = layer.shape as [number, number];
    const weight = operands.weight.floats();
    const atOnce = scoresRowsApart(expression) ? Math.min(out, Math.ceil(CACHED / columns)) : out;
    const ranksRowsApart = groups.size <= columns;
    const scores = this.arrays.take('score', (ranksRowsApart ? atOnce : out) * columns);
    const summary = new ScoreSummary();
    let [zeros, ranked] = [0, 0];
    for (let begin = 0; begin < out; begin += atOnce) {
      const end = Math.min(out, begin + atOnce);
      const shape = [end - begin, columns] as const;
      const score = scores.subarray((begin - ranked) * columns, (end - ranked) * columns);
      const inputs = Object.entries(operands).map(([name, tensor]): [string, DeviceTensor] => {
        return [name, tensor.shape[0] === out ? tensor.rows(begin, end) : tensor];
      });
      const program = await this.program(expression, shape);
      const outputs = await program.run(Object.fromEntries(inputs), { score: DeviceTensor.fromHost(score, shape) });
      summary.add(outputs, columns);
      if (!ranksRowsApart && end < out) continue;
      const [from, to] = [ranked * columns, end * columns];
      ranked = end;
      // What cannot rank is only counted to its end.
      if (summary.missing > 0) continue;
      const range = [summary.minimum, summary.maximum] as const;
      const scored = { score: scores.subarray(0, to - from), weight: weight.subarray(from, to), range };
      zeros += this.selection.prune(scored, groups, pruned.subarray(from, to));
    }
    summary.requireValid(layer, metric);
    return { weight: DeviceTensor.fromHost(pruned, layer.shape), zeros };
  }

  private program(expression: Expression, shape: readonly [number, number]): Promise<Program> {
    const key = `prune score ${printPrefix(expression)} ${shape.join('×')}`;
    return this.device.program(
      key,
      () => buildScoreGraph(expression, shape, this.device.weightType),
      () => true,
    );
  }
}

/** Whether a row's scores depend on that row alone, and on more than its columns. */
function scoresRowsApart(expression: Expression): boolean {
  const isElementwise = (node: Expression): boolean =>
    node.kind !== 'operation' ||
    (OPERATIONS[node.operation].reach === 'element' && node.arguments.every(isElementwise));
  return isElementwise(expression) && operandsOf(expression).some((name) => OPERANDS[name].shape === 'matrix');
}
