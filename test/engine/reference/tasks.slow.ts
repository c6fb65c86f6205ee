import { afterAll, beforeAll, describe, test } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { whyNoPeer } from '../../support/peer.ts';
import { expectOraclesLikelihoods } from '../../support/taskLikelihoods.ts';
import { hasTasksReference } from '../../support/tasksReference.ts';

// All documents of all tasks.

const TASKS = [
  ...(['winogrande', 'hellaswag', 'boolq', 'arc_easy', 'arc_challenge'] as const),
  ...(['openbookqa', 'piqa', 'rte', 'mmlu'] as const),
];
const missing = whyNoPeer() ?? (hasTasksReference ? undefined : 'no documents of tasks');
const title = 'log-likelihoods of all tasks are those of the PyTorch oracle';

describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, () => {
  let engine: Engine;
  beforeAll(() => {
    engine = createEngine({ startFresh: () => createEngine() });
  });
  afterAll(() => engine.dispose());

  test.each(
    TASKS.flatMap((task) =>
      [0, 2].flatMap((shots) =>
        (['0.4', '0.3'] as const).flatMap((harness) =>
          [false, true].map((pruned) => ({ tasks: [task], shots, limit: 0, harness, pruned })),
        ),
      ),
    ),
  )(
    '$tasks, $shots shots, harness $harness, pruned $pruned',
    (asked) => expectOraclesLikelihoods(engine, asked),
    900_000,
  );
});
