import path from 'node:path';
import type { Outlines } from '../outlines.ts';
import { chosenEvaluation, evaluableTarget } from './chosenEvaluation.ts';
import type { ModelExport } from './exportModel.ts';

export interface ResultExportParts {
  readonly outlines: Outlines;
  readonly modelExport: ModelExport;
  readonly tell: (what: string, error: unknown) => void;
}

/** *Export Pruned Model…* for a metric or experiment of a file: asks which of its evaluations is meant where there are several. */
export class ResultExport {
  private readonly parts: ResultExportParts;

  constructor(parts: ResultExportParts) {
    this.parts = parts;
  }

  /** @param argument the lens's or hover's target; from the palette the declaration at the cursor is meant */
  async export(argument: unknown): Promise<void> {
    const { outlines, modelExport, tell } = this.parts;
    const target = await evaluableTarget(argument, outlines);
    if (!target) return;
    try {
      const chosen = await chosenEvaluation(target.name, await outlines.plans(target), {
        action: 'Export',
        fits: () => true,
        expected: 'something that prunes',
        remedy: 'Give the experiment a sparsity and something to prune by.',
      });
      if (chosen) await modelExport.run(chosen, path.dirname(chosen.model));
    } catch (error) {
      tell(`Exporting ${target.name} failed`, error);
    }
  }
}
