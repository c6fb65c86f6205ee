import { PRUNED_SHAPES, type PrunedShape, READER_FAMILIES } from '../../../support/llamaCpp/ggufCases.ts';
import { describeModelingFile, type ModelingCase } from './modelingCases.ts';

/** Where blocks come out alike and no bias is new, config.json is the family's, and there is no file. */
const ALIKE: readonly PrunedShape[] = [
  'dense',
  'single weights',
  'uniform sizes',
  'uniform heads alone',
  'uniform channels alone',
  'blocks dropped',
];
const shapes = (Object.keys(PRUNED_SHAPES) as PrunedShape[]).filter((shape) => !ALIKE.includes(shape));

describeModelingFile([
  ...Object.values(READER_FAMILIES).flatMap((family) =>
    shapes
      .filter((shape) => family !== READER_FAMILIES.LLaMA || shape !== 'FLAP, uniform')
      .map((shape): ModelingCase => [family, shape, 'plain']),
  ),
  ...[READER_FAMILIES.LLaMA, READER_FAMILIES.Mistral, READER_FAMILIES.Qwen2].flatMap((family) =>
    (['uniform sizes', 'uniform channels alone', 'blocks dropped', 'FLAP, uniform'] as const).map(
      (shape): ModelingCase => [family, shape, 'deci'],
    ),
  ),
]);
