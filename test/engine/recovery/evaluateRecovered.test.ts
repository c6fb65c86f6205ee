import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { requirePerplexity } from '../../../src/experiment/resultSchema.ts';
import type { ErrorData } from '../../../src/base/errors.ts';
import { DEFAULT_RECOVERY_SETTINGS } from '../../../src/experiment/recovery.ts';
import type { Recovery } from '../../../src/experiment/recovery.ts';
import type { TextPlan, PlannedEvaluation } from '../../../src/experiment/planSchema.ts';
import type { PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { planInputs } from '../../../src/experiment/planInputs.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { recoveryPlanOf } from '../../../src/search/recovery/plan.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { temporaryFamily } from '../../support/generate/temporaryFamily.ts';
import type { TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';

let family: TemporaryFamily;
let folder: string;
beforeAll(async () => {
  family = await temporaryFamily('llama-3.1');
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-recovered-'));
});
afterAll(async () => {
  await family.remove();
  await rm(folder, { recursive: true });
});

const RECOVERY: Recovery = {
  method: 'lora',
  ...DEFAULT_RECOVERY_SETTINGS,
  ...{ rate: 0.01, steps: 8, batch: 2, every: 4, held: 2 },
};
const WANDA: PlannedEvaluation = {
  metric: 'wanda',
  expression: fromPrefix('mul(W, sqrt(X))'),
  sparsity: { kind: 'unstructured', share: 0.5 },
};

function planOf(...evaluations: readonly PlannedEvaluation[]): TextPlan {
  return {
    ...{ model: family.folder, text: family.textFile, train: family.textFile, calibration: family.calibrationFile },
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 2, length: 12, blocks: 2, offsets: 'even' },
    evaluations,
  };
}

describe('an evaluation with a recovery', () => {
  it('comes to what a run comes to, beside one without', async () => {
    const engine = createEngine();
    try {
      const told: (readonly [number, string])[] = [];
      const [plain, recovered, ...others] = await engine.evaluate(planOf(WANDA, { ...WANDA, recovery: RECOVERY }), {
        onResult: ({ expression }, index) => told.push([index, expression]),
      });
      expect(others).toEqual([]);
      const how = 'lora (steps: 8, rate: 0.01, batch: 2, every: 4, held: 2)';
      expect(told).toEqual([
        [0, 'W * sqrt(X)'],
        [1, `W * sqrt(X), recovered by ${how}`],
      ]);
      expect(recovered!.perplexity).toBeLessThan(plain!.perplexity);
      expect(recovered!.actualSparsity).toBe(plain!.actualSparsity);
      expect(recovered!.fingerprint).not.toBe(plain!.fingerprint);

      const plan = recoveryPlanOf(planOf({ ...WANDA, recovery: RECOVERY }), RECOVERY);
      const opening = await engine.open(plan);
      const losses: number[] = [opening.before!];
      for (const from of [0, 4]) {
        expect((await engine.train({ from, to: from + 4, folder })).state).not.toBeNull();
        losses.push((await engine.validate({ step: from + 4, folder })).loss!);
      }
      const best = 4 * losses.indexOf(Math.min(...losses));
      const asked = { point: { step: best, folder }, before: plain!, inputs: planInputs(planOf()) };
      const after = await engine.recovered(asked);
      const { recovery, ...numbers } = recovered!;
      expect({ ...after, seconds: 0 }).toEqual({ ...numbers, seconds: 0 });
      expect(recovery).toEqual({
        recovery: RECOVERY,
        ...{ trainable: opening.trainable, sequences: opening.sequences, steps: 8, kept: best },
        ...{ reason: 'steps', detail: 'all 8 steps are done', before: plain!.perplexity },
        heldOut: {
          dense: opening.densePerplexity,
          ...{ before: Math.exp(losses[0]!), after: Math.exp(Math.min(...losses)) },
        },
      });
      expect(best).toBeGreaterThan(0);
      expect(recovered!.provenance).toMatchObject({ train: family.textFile, trainHash: plain!.provenance.textHash });
      expect(plain!.provenance.trainHash).toBeUndefined();

      const to = path.join(folder, 'merged');
      await engine.saveRecovery({ plan, point: { step: best, folder }, as: 'merged', to });
      const [merged] = await engine.evaluate({ ...planOf(), model: to });
      // In the type of the checkpoint, bfloat16.
      expect(merged!.perplexity / recovered!.perplexity).toBeCloseTo(1, 3);
      expect(merged!.actualSparsity).toBe(plain!.actualSparsity);
    } finally {
      await engine.dispose();
    }
  });

  it('has a fingerprint of its settings and of what the texts hold, and of no name', async () => {
    const engine = createEngine();
    const again = path.join(folder, 'again.txt');
    await copyFile(family.textFile, again);
    const quick = { ...RECOVERY, steps: 1 };
    const fingerprintOf = async (recovery: Recovery, more: Partial<TextPlan> = {}, metric = 'wanda') => {
      const [result] = await engine.evaluate({ ...planOf({ ...WANDA, metric, recovery }), ...more });
      return result!.fingerprint;
    };
    try {
      const own = await fingerprintOf(quick);
      expect(await fingerprintOf(quick, { train: again }, 'mine')).toBe(own);
      const others = [
        await fingerprintOf({ ...quick, rate: 0.02 }),
        await fingerprintOf({ ...quick, seed: 1 }),
        await fingerprintOf(quick, { train: family.calibrationFile }),
        await fingerprintOf(quick, { validate: family.calibrationFile }),
        await fingerprintOf(quick, { validate: family.textFile }),
      ];
      expect(new Set([own, ...others]).size).toBe(6);
    } finally {
      await engine.dispose();
    }
  });

  it('is counted before it begins: time, memory, and the disk of what lies there meanwhile', async () => {
    const engine = createEngine();
    try {
      const costOf = async (recovery?: Recovery) =>
        engine.preflight(planOf({ ...WANDA, ...(recovery && { recovery }) }));
      const [pruned, trained, longer] = [
        await costOf(),
        await costOf(RECOVERY),
        await costOf({ ...RECOVERY, steps: 80, every: 40 }),
      ];
      const [disk, ...others] = trained.costs.filter(({ kind }) => kind === 'disk');
      expect(others).toEqual([]);
      expect(pruned.costs.filter(({ kind }) => kind === 'disk')).toEqual([]);
      const { parameters } = await engine.describe(family.folder);
      expect(disk!.bytes).toBeGreaterThan(4 * parameters);
      expect(trained.costs.map(({ name }) => name)).toContain('training (weights, a merged copy, adapter)');
      // Two sequences a step there, back and there again; four looks at two sequences; the text twice.
      const forward = 2 * parameters * 12;
      expect(trained.flops - pruned.flops).toBeCloseTo(forward * (3 * 8 * 2 + 4 * 2 + 2), 0);
      expect(longer.flops - trained.flops).toBeCloseTo(forward * 3 * 72 * 2, 0);
      expect(trained.problems).toEqual([]);
    } finally {
      await engine.dispose();
    }
  });

  it('fails alone where it cannot be trained', async () => {
    const engine = createEngine();
    const failures: ErrorData[] = [];
    const results: PerplexityResult[] = [];
    const tooLong = { ...RECOVERY, length: 100_000 };
    try {
      await engine.evaluate(planOf({ ...WANDA, recovery: tooLong }, WANDA), {
        onFailure: (failure) => failures.push(failure),
        onResult: (result) => results.push(requirePerplexity(result)),
      });
    } catch (error) {
      failures.push(error as ErrorData);
    } finally {
      await engine.dispose();
    }
    expect(failures.map(({ code }) => code)).toEqual(['corpus/too-short']);
    expect(results.map(({ expression }) => expression)).toEqual(['W * sqrt(X)']);
  });

  it('leaves nothing behind when it is cancelled', async () => {
    const engine = createEngine();
    const before = await leftovers();
    const controller = new AbortController();
    const error = await failureOf(() =>
      engine.evaluate(planOf({ ...WANDA, recovery: { ...RECOVERY, steps: 100_000 } }), {
        signal: controller.signal,
        onProgress: ({ stage }) => {
          if (stage === 'gradients') controller.abort();
        },
      }),
    );
    await engine.dispose();
    expect(error.code).toBe('cancelled');
    expect(await leftovers()).toEqual(before);
  });
});

async function leftovers(): Promise<readonly string[]> {
  return (await readdir(tmpdir())).filter(
    (name) => name.includes(`.${process.pid}-`) && /^espalier-(states|recovery)\b.*\.tmp$/.test(name),
  );
}
