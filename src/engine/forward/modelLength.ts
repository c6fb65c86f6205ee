import { EspalierError } from '../../base/errors.ts';
import { defaultLength } from '../../experiment/length.ts';
import { DEFAULT_SETTINGS } from '../../experiment/settings.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { openCheckpoint } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../families/families.ts';

/**
 * Tokens of the longest text that a model was made for. Scaled positions reach further than `max_position_embeddings` where that is the length
 * before scaling (linear, dynamic, YaRN); LLaMA 3.1's and LongRoPE's have the scaled length written there. Windows of attention limit
 * nothing: what lies before them is seen through the blocks below.
 */
export function modelLength({ positions, maxPositions, trainedLength }: ModelConfig): number {
  if (trainedLength !== undefined) return trainedLength;
  if (positions.kind !== 'rotary') return maxPositions;
  const { scaling } = positions;
  switch (scaling.kind) {
    case 'none':
    case 'llama3':
    case 'longrope':
      return maxPositions;
    case 'linear':
    case 'dynamic':
      return Math.floor(maxPositions * scaling.factor);
    case 'yarn':
      return Math.max(maxPositions, Math.floor(scaling.originalPositions * scaling.factor));
  }
}

interface OfModel {
  readonly model: string;
  readonly settings: EvaluationSettings;
}

/** A plan with the length of its model where it leaves that open (0): nothing behind the engine's door sees it open. */
export async function withLength<Plan extends OfModel>(plan: Plan): Promise<Plan> {
  const { model, settings } = plan;
  if (settings.length !== 0) return plan;
  return { ...plan, settings: { ...settings, length: await lengthFor([model], settings.lengthLimit) } };
}

/** The longest that is the default of all these models. @param limit the setting `lengthLimit` @throws EspalierError `checkpoint/…` */
export async function lengthFor(models: readonly string[], limit = DEFAULT_SETTINGS.lengthLimit): Promise<number> {
  const checkpoints = await Promise.all(models.map((model) => openCheckpoint(model)));
  for (const checkpoint of checkpoints) checkpoint.close();
  return Math.min(...checkpoints.map(({ config }) => defaultLength(modelLength(config), limit)));
}

/** A table of learned positions has no row for more. @throws EspalierError `settings/invalid` */
export function requireLength({ positions, maxPositions }: ModelConfig, length: number): void {
  if (positions.kind !== 'learned' || length <= maxPositions) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'cutting the text into blocks',
    expected: `a length of at most ${maxPositions} tokens, the positions that the checkpoint has learned`,
    actual: `a length of ${length}`,
    remedy: 'Choose a smaller length.',
  });
}
