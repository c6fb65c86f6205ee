import { EspalierError } from '../../../base/errors.ts';
import type { Layout } from '../../../experiment/exportFormats.ts';
import type { ModelCosts } from '../../../experiment/costSchema.ts';
import type { PlannedEvaluation } from '../../../experiment/planSchema.ts';
import { hasRates, isCompensated, isStructural } from '../../../experiment/planned.ts';
import type { ReadersReport, ReaderVerdict } from '../../../experiment/readersSchema.ts';
import type { EvaluationSettings } from '../../../experiment/settings.ts';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { modelComponents } from '../../models/components.ts';
import { sizeRule } from '../../structure/sizeRules.ts';
import { prunedConfig } from '../prunedConfig.ts';
import { expectedMask } from './expectedMask.ts';
import { readersOf } from './readersOf.ts';

/**
 * Who will be able to read what an evaluation prunes, before anything is computed: from config.json, and how much of each block goes.
 *
 * @param evaluation none: the checkpoint as it is
 * @param costs sizes, for budgets
 * @throws EspalierError `settings/invalid` where no block is left, sizes cannot be rounded, or the layout cannot have the model
 */
export function readersOfPlan(
  { values, config }: Pick<Checkpoint, 'values' | 'config'>,
  evaluation: PlannedEvaluation | undefined,
  { roundFor }: Pick<EvaluationSettings, 'roundFor'>,
  costs: () => ModelCosts,
  layout?: Layout,
): ReadersReport {
  // Zeros in place: every size is as it was.
  requireLayout(evaluation, layout);
  if (!evaluation || !isStructural(evaluation)) return { verdicts: [...readersOf({ values, config })], exact: true };
  const rule = sizeRule(roundFor, config);
  const { mask, exact } = expectedMask(evaluation, modelComponents(config), rule, costs);
  const verdicts = readersOf(prunedConfig(values, config, mask, isCompensated(evaluation), layout));
  return { verdicts: hasRates(evaluation) ? [...verdicts] : verdicts.map(withoutRounding), exact };
}

/** Masks that are given, and what goes as whole blocks, are not rounded. */
function withoutRounding(said: ReaderVerdict): ReaderVerdict {
  if (said.verdict !== 'after-rounding') return said;
  const { reader, format, why } = said;
  return { reader, format, verdict: 'refuses', why: `${why}; sizes that are given are not rounded` };
}

/**
 * Whether a layout can be asked for: of what is pruned in place config.json is copied.
 *
 * @throws EspalierError `settings/invalid`
 */
export function requireLayout(evaluation: PlannedEvaluation | undefined, layout: Layout | undefined): void {
  if (layout === undefined || layout === 'plain' || (evaluation && isStructural(evaluation))) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `writing config.json in the layout ${layout}`,
    expected: 'whole heads, channels or blocks that go',
    actual: 'single weights',
    remedy: 'Leave the layout out: config.json stays as it was, which its readers read.',
  });
}
