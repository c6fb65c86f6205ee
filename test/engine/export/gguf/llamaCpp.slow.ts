import {
  GGUF_VARIANTS,
  PRUNED_SHAPES,
  type PrunedShape,
  READER_FAMILIES,
} from '../../../support/llamaCpp/ggufCases.ts';
import { describeLlamaCpp, type GgufCase } from './llamaCppCases.ts';

const shapes = Object.keys(PRUNED_SHAPES) as PrunedShape[];

describeLlamaCpp([
  ...[...Object.values(READER_FAMILIES), ...GGUF_VARIANTS].flatMap((family) =>
    shapes.map((shape): GgufCase => [family, shape]),
  ),
  // One group of heads, and a head that is the embedding.
  ...(['single weights', 'FLAP, uniform'] as const).map((shape): GgufCase => ['llama-3.2 tied', shape]),
]);
