import { describe, expect, it } from 'vitest';
import { exportTests } from '../../../support/exports.ts';
import type { FamilyName } from '../../../support/generate/families.ts';
import type { PrunedShape } from '../../../support/llamaCpp/ggufCases.ts';
import { ggufOutcome } from '../../../support/llamaCpp/ggufOutcome.ts';
import { readersOfFolder } from '../../../support/readerTable.ts';
import { llamaCppMissing } from '../../../support/llamaCpp/llamaModel.ts';

export type GgufCase = readonly [family: FamilyName, shape: PrunedShape];

/** The real llama.cpp, in float32, against what Espalier evaluates of the same model as a folder; and whether it loads against what is said before. */
export function describeLlamaCpp(cases: readonly GgufCase[]): void {
  const at = exportTests('pruned');
  describe.skipIf(llamaCppMissing !== '')(`llama.cpp computes what Espalier does${llamaCppMissing}`, () => {
    it.each(cases)('%s, %s', async (name, shape) => {
      const outcome = await ggufOutcome(at, name, shape);
      const verdicts = await readersOfFolder((await at.family(name)).folder, shape);
      if (verdicts.find(({ reader }) => reader === 'llama.cpp')!.verdict !== 'loads') {
        expect(outcome).toMatchObject({ loads: false, code: 'export/format' });
        return;
      }
      if (!outcome.loads) expect.fail(outcome.why);
      expect(outcome.tokens[0]).toEqual(outcome.tokens[1]);
      // Logits are up to ten or so.
      expect(outcome.logits).toBeLessThan(1e-3);
      expect(Math.abs(outcome.perplexity)).toBeLessThan(1e-3);
    });
  });
}
