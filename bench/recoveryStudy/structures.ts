import { EspalierError } from '../../src/base/errors.ts';
import { isStructural } from '../../src/experiment/planned.ts';
import type { PlannedEvaluation } from '../../src/experiment/planSchema.ts';
import { SHARED_FILES } from '../work.ts';
import { METHODS, type MethodName } from '../structureStudy/methods.ts';
import { type StudyContext, studyContext } from '../structureStudy/studyContext.ts';
import type { StudyEngine } from './searches.ts';
import { LORA, RECONSTRUCT } from './updates.ts';

/** What follows the removal, in the order of the columns. */
export type After = 'none' | 'reconstruct' | 'lora';

/** A perplexity on text that no search saw, or the code of why there is none. */
export type Figure = number | string;

export interface StructureCell {
  readonly method: MethodName;
  readonly rate: number;
  readonly note?: string;
  readonly figures: Readonly<Partial<Record<After, Figure>>>;
}

export async function structureCells(study: StudyEngine): Promise<readonly StructureCell[]> {
  const { options, engine, results } = study;
  const { out, samples, blocks, unseen, threads, population, generations, steps, rates, methods, lora } = options;
  const context = studyContext(engine, {
    ...{ rates, methods, out, seed: 0, threads, samples, blocks, unseenBlocks: unseen },
    ...{ population, offspring: Math.max(1, Math.round(population / 3)), generations, lambda: 32, levelStep: 0.05 },
    ...{ steps, masks: 2, learningRate: 0.1, centre: 'step' },
  });
  const cells: StructureCell[] = [];
  for (const rate of rates) {
    for (const method of methods) {
      const about = { method, rate, samples, blocks, ...METHODS[method].settings(context) };
      const found = await results.get(about, () => {
        console.error(`${METHODS[method].title} at ${Math.round(100 * rate)} %`);
        return METHODS[method].find(context, rate);
      });
      const figures: Partial<Record<After, Figure>> = {};
      for (const after of lora > 0 ? (['none', 'reconstruct', 'lora'] as const) : (['none', 'reconstruct'] as const)) {
        figures[after] = await results.get({ ...about, after, unseen, ...(after === 'lora' && { lora }) }, () =>
          figureOf(study, context, found.evaluation, after),
        );
      }
      cells.push({ method, rate, ...(found.note !== undefined && { note: found.note }), figures });
    }
  }
  return cells;
}

async function figureOf(
  { engine, options }: StudyEngine,
  { texts, settings }: StudyContext,
  evaluation: PlannedEvaluation,
  after: After,
): Promise<Figure> {
  if (!isStructural(evaluation)) throw new RangeError('structures remove whole components');
  const changed: PlannedEvaluation = {
    ...evaluation,
    ...(after !== 'none' && { update: RECONSTRUCT }),
    ...(after === 'lora' && { recovery: { ...LORA, steps: options.lora } }),
  };
  const inputs = { model: SHARED_FILES.model, text: texts.unseen, calibration: SHARED_FILES.calibration };
  try {
    const [result] = await engine.evaluate({
      ...inputs,
      ...(after === 'lora' && { train: SHARED_FILES.calibration }),
      evaluations: [changed],
      settings: { ...settings, blocks: options.unseen },
    });
    return result!.perplexity;
  } catch (error) {
    // What cannot be done is a figure, too: the others go on.
    if (error instanceof EspalierError) return error.code;
    throw error;
  }
}
