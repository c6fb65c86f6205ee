import { throwIfCancelled } from '../../base/errors.ts';
import { orCancelled } from '../../base/orCancelled.ts';
import type { FreshEngine } from '../../experiment/freshEngine.ts';
import type { SpeedPlan, SpeedReport, SpeedRound, SpeedSubject, Spread } from '../../experiment/exportSchema.ts';
import { lengthFor } from '../forward/modelLength.ts';
import type { StepHooks } from '../forward/step.ts';

/**
 * Compares the speed of checkpoints on this machine. Each is held by a process of its own, so that memory is that of one model; the
 * processes take turns, so that whatever else the machine does meets all alike. A first pass of each, which also reads and compiles, is
 * not counted.
 *
 * @returns in the order of the models
 */
export async function measureSpeed(
  { models, rounds, ...asked }: SpeedPlan,
  { signal, onProgress }: StepHooks,
  startFresh: () => FreshEngine,
): Promise<readonly SpeedReport[]> {
  const request = { ...asked, length: asked.length || (await lengthFor(models)) };
  const engines: FreshEngine[] = [];
  const patient = <Result>(work: Promise<Result>): Promise<Result> => orCancelled(work, signal, 'measuring the speed');
  const total = models.length * (rounds + 2);
  let done = 0;
  const step = (detail: string): void => {
    onProgress?.({ stage: 'measuring', done: done++, total, detail });
    throwIfCancelled(signal, 'measuring the speed');
  };
  try {
    const subjects: SpeedSubject[] = [];
    for (const model of models) {
      step('reading');
      const engine = startFresh();
      engines.push(engine);
      subjects.push(await patient(engine.openSpeed({ model, ...request }, { signal })));
    }
    const seconds = models.map((): number[] => []);
    const decodes = models.map((): SpeedRound['decode'][] => []);
    const memory = models.map(() => 0);
    for (let round = 0; round <= rounds; round++) {
      for (const [index, engine] of engines.entries()) {
        step(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
        const measured = await patient(engine.speedRound({ signal }));
        memory[index] = measured.peakMemory;
        if (round === 0) continue;
        seconds[index]!.push(measured.seconds);
        decodes[index]!.push(measured.decode);
      }
    }
    const tokens = request.batch * request.length;
    return models.map((model, index) => ({
      model,
      ...subjects[index]!,
      length: request.length,
      peakMemory: memory[index]!,
      tokensPerSecond: spreadOf(seconds[index]!.map((time) => tokens / time)),
      decode: {
        batch: decodes[index]![0]!.batch,
        tokensPerSecond: spreadOf(decodes[index]!.map(rate)),
        speedUp: spreadOf(decodes[index]!.map((decode, round) => rate(decode) / rate(decodes[0]![round]!))).median,
      },
      speedUp: spreadOf(seconds[index]!.map((time, round) => seconds[0]![round]! / time)).median,
    }));
  } finally {
    await Promise.all(engines.map((engine) => engine.dispose()));
  }
}

function rate({ tokens, seconds }: SpeedRound['decode']): number {
  return tokens / seconds;
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2,
    lowest: sorted[0]!,
    highest: sorted.at(-1)!,
  };
}
