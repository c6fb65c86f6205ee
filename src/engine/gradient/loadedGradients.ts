import type { Step } from '../forward/step.ts';
import { Stopwatch } from '../forward/stopwatch.ts';
import type { GradientInputs } from './collectGradients.ts';
import { GradientFolder } from './gradientFolder.ts';
import type { ForwardObserver } from './modelBackward.ts';
import { GradientOperands, type GradientRequest } from './gradientOperands.ts';

/** The gradients of this process: they stay from one evaluation to the next, until others or another device are asked for. */
export class LoadedGradients {
  private readonly folder: GradientFolder | undefined;
  private current: GradientOperands | undefined;

  constructor(options: { readonly cacheFolder?: string | undefined }) {
    this.folder = options.cacheFolder === undefined ? undefined : new GradientFolder(options.cacheFolder);
  }

  /** What is in memory, or in the cache and undamaged; undefined otherwise. */
  async find(request: GradientRequest, now: () => number): Promise<Found | undefined> {
    if (this.current?.fingerprint === request.fingerprint && this.current.device === request.device) {
      return { gradients: this.current, seconds: 0 };
    }
    this.dispose();
    const stopwatch = new Stopwatch(now);
    const found = this.folder && (await stopwatch.time(() => GradientOperands.find(request, this.folder!)));
    this.current = found;
    return found && { gradients: found, seconds: stopwatch.seconds };
  }

  /** @throws EspalierError */
  async compute(
    request: GradientRequest,
    inputs: GradientInputs,
    step: Step,
    now: () => number,
    observe?: ForwardObserver,
  ): Promise<Found> {
    this.dispose();
    const stopwatch = new Stopwatch(now);
    const gradients = await stopwatch.time(() => GradientOperands.compute(request, inputs, this.folder, step, observe));
    this.current = gradients;
    return { gradients, seconds: stopwatch.seconds };
  }

  /** Whether these gradients can still be used; none always can. */
  holds(gradients: GradientOperands | undefined): boolean {
    return gradients === undefined || gradients === this.current;
  }

  dispose(): void {
    this.current?.dispose();
    this.current = undefined;
  }
}

export interface Found {
  readonly gradients: GradientOperands;
  /** Wall time that computing them took, or reading and checking what was kept. */
  readonly seconds: number;
}
