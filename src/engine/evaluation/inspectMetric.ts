import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import type { MetricInspection, NodeStatistics } from '../../experiment/inspectionSchema.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/planSchema.ts';
import { asRanked } from '../../experiment/planned.ts';
import type { Expression } from '../../metric/expression.ts';
import { operandsOf, sizeOf, statisticsOf } from '../../metric/measure.ts';
import type { OperandName } from '../../metric/operands.ts';
import type { Step, StepHooks } from '../forward/step.ts';
import type { LoadedModel } from '../forward/loadedModels.ts';
import type { Graph } from '../graph/graph.ts';
import { GraphBuilder } from '../graph/graphBuilder.ts';
import type { Parameter } from '../families/family.ts';
import { type InputStatistics, isRowOperand } from '../pruning/inputStatistics.ts';
import { NODE_PROGRAMS, visitNodes } from '../pruning/nodeValues.ts';
import { valueStatistics, type ValueStatistics } from '../pruning/valueStatistics.ts';
import type { Device } from '../runtime/device.ts';
import { DeviceTensor } from '../runtime/deviceTensor.ts';
import type { CalibrationSource, DenseStatistics } from './denseStatistics.ts';
import { needGradients } from './gradientsOf.ts';
import type { GradientOperands } from '../gradient/gradientOperands.ts';
import { machineOf } from '../runtime/machine.ts';
import { aboutGradients, calibrationSamples, ownGradientSamples, rowsOf } from './calibrationSamples.ts';
import { engineVersions, type EngineState } from './prepareSweep.ts';
import { stagedStepper, stepper } from './stepper.ts';

export type InspectionState = Pick<EngineState, 'devices' | 'models' | 'tokenCache' | 'gradients'> & {
  readonly denseStatistics: DenseStatistics;
};

/** A prunable weight and where it stands. */
interface Layer {
  readonly parameter: Parameter;
  readonly block: number;
}

/** See `Engine.inspect`. */
export async function inspectMetric(
  plan: EvaluationPlan,
  tensor: string | null,
  hooks: StepHooks,
  state: InspectionState,
): Promise<MetricInspection> {
  const { expression } = asRanked(onlyEvaluation(plan), 'inspecting');
  const report = (stage: 'device' | 'reading', detail: string): void => {
    hooks.onProgress?.({ stage, done: 0, total: 0, detail });
    throwIfCancelled(hooks.signal, 'inspecting');
  };
  report('device', 'starting the device');
  const device = await state.devices.device(plan.settings);
  report('reading', 'reading the checkpoint');
  const model = await state.models.load(plan.model, device, hooks.signal);
  const layers = layersOf(model);
  const layer = findLayer(layers, tensor, plan.model);
  const operands = operandsOf(expression);
  const source =
    statisticsOf(expression).length > 0
      ? await calibratedModel(plan, model, device, hooks, state, operands.includes('G'))
      : undefined;
  const gradients = operands.includes('G') ? await gradientsOf(source!, hooks, state) : undefined;
  const rows = operands.some(isRowOperand)
    ? (await state.denseStatistics.block(source!, layer.block, hooks)).get(layer.parameter.name)
    : undefined;
  try {
    const step = stepper(hooks, sizeOf(expression));
    const nodes = await inspectLayer(expression, layer, { rows, gradients }, model, device, step);
    return {
      tensor: layer.parameter.tensor,
      shape: layer.parameter.shape as [number, number],
      tensors: layers.map(({ parameter }) => parameter.tensor),
      nodes,
    };
  } finally {
    await device.release((key) => !key.startsWith(NODE_PROGRAMS));
  }
}

async function inspectLayer(
  expression: Expression,
  { parameter, block }: Layer,
  { rows, gradients }: { rows: InputStatistics | undefined; gradients: GradientOperands | undefined },
  model: LoadedModel,
  device: Device,
  step: Step,
): Promise<NodeStatistics[]> {
  const columns = parameter.shape[1]!;
  const weights = await model.weights.block(block);
  const blockGradients = await gradients?.block(block, [parameter]);
  const operands = new Map<OperandName, DeviceTensor>();
  try {
    for (const name of operandsOf(expression)) {
      if (isRowOperand(name)) operands.set(name, DeviceTensor.fromHost(rows!.row(name), [1, columns]));
      else if (name === 'G') operands.set(name, blockGradients![parameter.name]!);
      else operands.set(name, await weightOperand(device, name, weights[parameter.name]!));
    }
    return await nodeStatistics(device, expression, operands, step);
  } finally {
    for (const [name, value] of operands) if (name === 'W' || name === 'Wsigned') value.dispose();
    if (blockGradients) gradients!.done(blockGradients);
    model.weights.done(weights);
  }
}

/** What the nodes compute, root first. Each value is looked at on the host and dropped; an operand is looked at once. */
async function nodeStatistics(
  device: Device,
  expression: Expression,
  operands: ReadonlyMap<OperandName, DeviceTensor>,
  step: Step,
): Promise<NodeStatistics[]> {
  const known = new Map<OperandName, ValueStatistics>();
  const found = new Map<string, NodeStatistics>();
  const total = sizeOf(expression);
  await visitNodes(device, expression, operands, async (node, path, value) => {
    const seen = node.kind === 'operand' ? known.get(node.name) : undefined;
    const statistics = seen ?? valueStatistics(await device.download(value));
    if (node.kind === 'operand') known.set(node.name, statistics);
    found.set(path.join(), { path, shape: shapeOf(value), ...statistics });
    await step(`node ${found.size} of ${total}`);
  });
  return pathsOf(expression).map((path) => found.get(path.join())!);
}

/** A number counts as [1, 1]. */
function shapeOf({ shape }: DeviceTensor): readonly [number, number] {
  return shape.length === 0 ? [1, 1] : (shape as readonly [number, number]);
}

/** The matrix operands that are read off the weight, float32, without touching it. */
async function weightOperand(device: Device, name: OperandName, weight: DeviceTensor): Promise<DeviceTensor> {
  const key = `${NODE_PROGRAMS}${name} ${weight.shape.join('×')}`;
  const build = (): Graph => {
    const graph = new GraphBuilder();
    const signed = graph.cast(graph.input('weight', weight.shape, weight.type), 'float32');
    // A program's output has to be computed: its input is none.
    graph.output('y', name === 'W' ? graph.abs(signed) : graph.add(signed, graph.scalar(0)));
    return graph.build(name);
  };
  const program = await device.program(key, build, () => false);
  return (await program.run({ weight }))['y']!;
}

async function gradientsOf(
  { model: { checkpoint, weights }, device, gradientSamples, provenance }: CalibrationSource,
  hooks: StepHooks,
  { gradients }: InspectionState,
): Promise<GradientOperands> {
  const now = (): number => performance.now() / 1000;
  const of = { checkpoint, device, weights, gradientSamples, now };
  const needed = await needGradients(of, provenance, gradients);
  return (await needed.get(stagedStepper(hooks, needed.steps)('gradients'))).gradients;
}

async function calibratedModel(
  plan: EvaluationPlan,
  model: LoadedModel,
  device: Device,
  hooks: StepHooks,
  { tokenCache }: InspectionState,
  withGradients: boolean,
): Promise<CalibrationSource> {
  const calibration = await calibrationSamples(plan, model, tokenCache, hooks);
  const own = withGradients ? await ownGradientSamples(plan, model, tokenCache, hooks) : undefined;
  const { textHash, tokens, settings, rows } = calibration;
  const { samples, length, offsets, seed } = settings;
  const { name, precision } = device;
  const modelHash = await model.hash(hooks.signal);
  return {
    key: JSON.stringify([model.checkpoint.folder, modelHash, textHash, rows, settings]),
    model,
    device,
    samples: tokens,
    gradientSamples: (own ?? calibration).tokens,
    provenance: {
      modelHash,
      ...{ calibrationHash: textHash, samples, length, offsets, seed },
      ...(own && aboutGradients(own, plan)),
      ...rowsOf({ calibration, gradients: own }),
      device: name,
      precision,
      versions: engineVersions(),
      machine: machineOf(name),
    },
  };
}

function layersOf({ weights }: LoadedModel): Layer[] {
  return weights.layouts.flatMap((layout, block) =>
    layout.parameters.filter(({ linear }) => linear).map((parameter) => ({ parameter, block })),
  );
}

function findLayer(layers: readonly Layer[], tensor: string | null, folder: string): Layer {
  const found = tensor === null ? layers[0] : layers.find(({ parameter }) => parameter.tensor === tensor);
  if (found) return found;
  throw new EspalierError({
    code: 'checkpoint/tensor',
    operation: 'choosing the layer to inspect',
    expected: `the weight of one of the ${layers.length} linear layers in the blocks, such as ${layers[0]!.parameter.tensor}`,
    actual: tensor!,
    remedy: 'Choose another layer.',
    file: folder,
  });
}

/** The paths of all nodes, a node before its arguments. */
function pathsOf(expression: Expression, path: readonly number[] = []): (readonly number[])[] {
  if (expression.kind !== 'operation') return [path];
  return [path, ...expression.arguments.flatMap((argument, index) => pathsOf(argument, [...path, index]))];
}

function onlyEvaluation({ evaluations }: EvaluationPlan): PlannedEvaluation {
  const [only] = evaluations;
  if (only && evaluations.length === 1) return only;
  throw new EspalierError({
    code: 'engine/invariant',
    operation: 'inspecting',
    expected: 'a plan of one metric',
    actual: `one of ${evaluations.length}`,
    remedy: 'This is a defect of Espalier: please report it with the log.',
  });
}
