import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { DEFAULT_RECOVERY_SETTINGS } from '../../../src/experiment/recovery.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { requirePerplexity } from '../../../src/experiment/resultSchema.ts';
import type { EvaluationResult } from '../../../src/experiment/resultSchema.ts';
import type { PlannedEvaluation } from '../../../src/experiment/planSchema.ts';
import type { PlannedTasks, TaskResult } from '../../../src/experiment/taskSchema.ts';
import { planInputs } from '../../../src/experiment/planInputs.ts';
import type { RecoveryPlan } from '../../../src/search/recovery/plan.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { temporaryFamily } from '../../support/generate/temporaryFamily.ts';
import type { TemporaryFamily } from '../../support/generate/temporaryFamily.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { without } from '../../support/without.ts';

const EVALUATION: PlannedEvaluation = {
  metric: 'wanda',
  expression: fromPrefix('mul(W, sqrt(X))'),
  sparsity: { kind: 'unstructured', share: 0.5 },
};
/** Enough that a training moves some of the answers. */
const QUESTIONS = ['door', 'jar', 'shirt', 'drink', 'window', 'lamp'].flatMap((what, i) =>
  ['open', 'dry', 'cool', 'find'].map((how, j) => ({
    goal: `${how} a ${what}`,
    sol1: `put the ${what} in the sun ${'and wait '.repeat(j)}`.trim(),
    sol2: `turn it to the left ${'again '.repeat(i)}`.trim(),
    label: (i + j) % 2,
  })),
);

let family: TemporaryFamily;
let folder: string;
let plan: RecoveryPlan & { readonly tasks: PlannedTasks };
beforeAll(async () => {
  family = await temporaryFamily('llama-3.1');
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-recovered-tasks-'));
  const documents = path.join(folder, 'piqa.jsonl');
  await writeFile(documents, QUESTIONS.map((document) => `${JSON.stringify(document)}\n`).join(''));
  plan = {
    ...{ kind: 'recovery', name: 'asked', model: family.folder, text: family.textFile, train: family.textFile },
    calibration: family.calibrationFile,
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 2, length: 12, blocks: 2, offsets: 'even' },
    evaluation: EVALUATION,
    tasks: { list: [{ task: 'piqa', documents, shots: 0, limit: 0 }], harness: '0.4', beginning: 'none' },
    recovery: { method: 'lora', ...DEFAULT_RECOVERY_SETTINGS, rate: 0.05, steps: 8, batch: 2, every: 4, held: 2 },
  };
});
afterAll(async () => {
  await family.remove();
  await rm(folder, { recursive: true });
});

const shown = ({ tasks }: Pick<EvaluationResult, 'tasks'>) =>
  tasks!.map((task: TaskResult) => without(task, 'seconds', 'tokens'));

describe('a recovery that asks tasks', () => {
  it('asks a state as the model that it is saved as, beside dense, in this process or the next', async () => {
    const states = path.join(folder, 'states');
    await mkdir(states);
    const inputs = planInputs(plan);
    const point = { step: 8, folder: states };
    const engine = createEngine();
    try {
      await engine.open(plan);
      await engine.train({ from: 0, to: 8, folder: states });
      const { tasks } = plan;
      const [result] = await engine.evaluate({ ...inputs, tasks, evaluations: [EVALUATION] });
      const before = requirePerplexity(result!);
      const after = await engine.recovered({ point, before, inputs, tasks });
      expect(shown(after)[0]).toMatchObject({ task: 'piqa', documents: 24, dense: shown(before)[0]!.dense! });
      expect(shown(after)[0]!.paired).not.toEqual(shown(before)[0]!.paired);
      const start = await engine.recovered({ point: { step: 0, folder: states }, before, inputs, tasks });
      expect(shown(start)).toEqual(shown(before));

      const next = createEngine();
      try {
        await next.open(plan);
        expect(shown(await next.recovered({ point, before, inputs, tasks }))).toEqual(shown(after));
        const to = path.join(folder, 'merged');
        await next.saveRecovery({ plan, point, as: 'merged', to });
        const [saved] = await next.evaluate({ ...inputs, model: to, tasks, evaluations: [] });
        expect(shown(saved!)[0]!.means).toEqual(shown(after)[0]!.means);
      } finally {
        await next.dispose();
      }
    } finally {
      await engine.dispose();
    }
  });

  it('is refused before anything is trained where a document is broken', async () => {
    const broken = path.join(folder, 'broken.jsonl');
    await writeFile(broken, `${JSON.stringify({ ...QUESTIONS[0], label: 7 })}\n`);
    const tasks: PlannedTasks = { ...plan.tasks, list: [{ ...plan.tasks.list[0]!, documents: broken }] };
    const engine = createEngine();
    try {
      const { data } = await failureOf(() => engine.open({ ...plan, tasks }));
      expect(data).toMatchObject({ code: 'tasks/document', actual: expect.stringContaining('7') as string });
    } finally {
      await engine.dispose();
    }
  });
});
