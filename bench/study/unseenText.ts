import path from 'node:path';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import type { MetricSearchPlan } from '../../src/search/metrics/plan.ts';

/** The part of the text that no search sees, on which what they found is evaluated as an evaluation does it, but one-shot as they measure. */
export class UnseenText {
  private readonly engine: Engine;
  private readonly plan: MetricSearchPlan;
  private readonly blocks: number;
  private readonly known = new Map<string, number>();

  constructor(plan: MetricSearchPlan, blocks: number, folder: string) {
    this.engine = createEngine({ cacheFolder: path.join(folder, 'cache') });
    this.plan = plan;
    this.blocks = blocks;
  }

  /** @param expression in prefix form */
  async perplexityOf(expression: string): Promise<number> {
    const known = this.known.get(expression);
    if (known !== undefined) return known;
    const { model, test, calibration, sparsity, settings } = this.plan;
    const [result] = await this.engine.evaluate({
      ...{ model, text: test!, calibration: calibration! },
      evaluations: [{ metric: expression, expression: parsePrefix(expression), sparsity }],
      settings: { ...settings, calibrate: 'one-shot', blocks: this.blocks },
    });
    this.known.set(expression, result!.perplexity);
    return result!.perplexity;
  }

  dispose(): Promise<void> {
    return this.engine.dispose();
  }
}
