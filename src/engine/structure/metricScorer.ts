import { type Expression, operand, operation } from '../../metric/expression.ts';
import { operandsOf } from '../../metric/measure.ts';
import { printPrefix } from '../../metric/print.ts';
import { isRowOperand } from '../pruning/inputStatistics.ts';
import { ScoreSummary } from '../pruning/scoreCheck.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { Weights } from '../forward/blockWeights.ts';
import type { ComponentScores } from './componentScores.ts';
import { type BlockLayout, type Coupled, couplings, type Parameter, type Parts } from '../families/family.ts';
import { buildGatherGraph } from './gatherGraph.ts';
import type { ComponentScorer, ScoringInputs } from './scorer.ts';

/** |W| · sqrt(X). */
export const WANDA: Expression = operation('mul', operand('W'), operation('sqrt', operand('X')));

/**
 * Components ranked by any metric, gathered as Wanda-sp does (methods.md of An et al. 2024): a channel has the mean of its column of the
 * down projection, a head the sum of such means over its columns of the output projection, a group the mean of its heads.
 *
 * @param name for messages
 */
export function metricScorer(name: string, expression: Expression): ComponentScorer {
  const operands = operandsOf(expression);
  const usesGradient = operands.includes('G');
  return {
    name,
    rows: operands.filter(isRowOperand),
    usesGradient,
    goesBackwards: false,
    countSteps: ({ weights }) => weights.layouts.length,
    async score(model, step) {
      const { weights, gradients } = model;
      const blocks: ComponentScores[] = [];
      for (const [index, layout] of weights.layouts.entries()) {
        const block = await weights.block(index);
        const blockGradients = usesGradient ? await gradients!.block(index, readers(layout)) : undefined;
        try {
          blocks.push(await scoreBlock(model, name, expression, { index, layout, block, gradients: blockGradients }));
        } finally {
          if (blockGradients) gradients!.done(blockGradients);
          weights.done(block);
        }
        await step(`scoring, block ${index + 1} of ${weights.layouts.length}`);
      }
      return { kind: 'components', blocks };
    },
  };
}

/** The layers that read the values of a block's components: columns of them go with the components. */
export function readers(layout: BlockLayout): readonly Coupled[] {
  return couplings(layout).filter(({ parts }) => parts.axis === 1);
}

interface BlockToScore {
  readonly index: number;
  readonly layout: BlockLayout;
  readonly block: Weights;
  readonly gradients: Weights | undefined;
}

async function scoreBlock(
  model: ScoringInputs,
  name: string,
  expression: Expression,
  { index, layout, block, gradients }: BlockToScore,
): Promise<ComponentScores> {
  const { heads, kvHeads, intermediate } = layout.shape;
  const scores: Record<Parts['of'], Float32Array> = { groups: new Float32Array(0), channels: new Float32Array(0) };
  for (const parameter of readers(layout)) {
    const { of } = parameter.parts;
    const inputs: Record<string, DeviceTensor> = { weight: block[parameter.name]! };
    if (gradients) inputs['G'] = gradients[parameter.name]!;
    for (const row of operandsOf(expression).filter(isRowOperand)) {
      const values = model.statistics![index]!.get(parameter.name)!.row(row);
      inputs[row] = DeviceTensor.fromHost(values, [1, values.length]);
    }
    const outputs = await runGather(model, expression, parameter, inputs);
    const summary = new ScoreSummary().add(outputs, parameter.shape[1]!);
    // One component alone need not be ranked.
    if ((of === 'channels' ? intermediate : kvHeads) > 1) summary.requireValid(parameter, name);
    else summary.requireFinite(parameter, name);
    const columns = outputs['columns']!.floats();
    scores[of] = of === 'channels' ? columns : sumParts(columns, kvHeads, heads / kvHeads);
  }
  return scores;
}

/** The mean of each column's scores of one linear layer, [in]; metrics of W and of inputs alone. */
export async function columnScores(
  model: ScoringInputs,
  expression: Expression,
  block: number,
  layer: Parameter,
  weight: Readonly<Record<'weight', DeviceTensor>>,
): Promise<Float32Array> {
  const inputs: Record<string, DeviceTensor> = { ...weight };
  for (const row of operandsOf(expression).filter(isRowOperand)) {
    const values = model.statistics![block]!.get(layer.name)!.row(row);
    inputs[row] = DeviceTensor.fromHost(values, [1, values.length]);
  }
  return (await runGather(model, expression, layer, inputs))['columns']!.floats();
}

/** See `buildGatherGraph`. */
async function runGather(
  { device }: ScoringInputs,
  expression: Expression,
  { shape: [out, columns] }: Parameter,
  inputs: Readonly<Record<string, DeviceTensor>>,
): Promise<Record<string, DeviceTensor>> {
  const shape = [out!, columns!] as const;
  const { weightType } = device;
  const program = await device.program(
    `prune by columns ${printPrefix(expression)} ${shape.join('×')}`,
    () => buildGatherGraph({ expression, shape, weightType }),
    () => true,
  );
  return program.run(inputs);
}

/** Columns of equal parts, one after the other → the sum of each part, divided by the heads that it is made of. */
function sumParts(columns: Float32Array, parts: number, headsOfPart: number): Float32Array {
  const size = columns.length / parts;
  return Float32Array.from({ length: parts }, (_, part) => {
    let sum = 0;
    for (let i = part * size; i < (part + 1) * size; i++) sum += columns[i]!;
    return sum / headsOfPart;
  });
}
