import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { SpeedMeasurement } from '../../experiment/speedTable.ts';
import { evaluationOfRun } from '../../runs/runEvaluation.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { measureSpeed } from '../results/measureSpeed.ts';
import { tellExchange } from './exchanges.ts';
import type { DeskParts } from './panelParts.ts';
import type { PanelActions, PanelDesk } from './panelDesk.ts';
import type { Speed, ResultName } from '../../view/panelMessages.ts';

/** What one does with a search for rates or masks: read what its language model said, measure and export what it has found. */
export class BlockSearchDesk implements PanelDesk {
  readonly actions: PanelActions = {
    exchange: ({ call }) => {
      tellExchange(call, this.parts);
    },
    speed: ({ of }) => {
      this.parts.attempt('The speed could not be measured', () => this.measure(of));
    },
    cancelSpeed: () => {
      this.speed?.abort();
    },
  };
  private readonly parts: DeskParts<RunFolder['record']['plan']>;
  private speed: AbortController | undefined;
  /** The last that was measured, or how far that is. */
  private measured: Speed | undefined;

  constructor(parts: DeskParts<RunFolder['record']['plan']>) {
    this.parts = parts;
  }

  begin(): void {
    // Everything else is in the journal.
    if (this.measured) this.parts.post({ kind: 'speed', speed: this.measured });
  }

  lookAround(): void {
    // No other run stands beside it by itself.
  }

  lookAtFile(): void {
    // Nothing of it is in the file.
  }

  forget(): void {
    // A measurement goes on: the page that comes back is told how it ends.
  }

  dispose(): void {
    this.speed?.abort();
  }

  private async measure(of: ResultName): Promise<void> {
    this.speed?.abort();
    const controller = new AbortController();
    this.speed = controller;
    const { run, panel, post } = this.parts;
    const plan = await planOfResult(run, of);
    const tell = (measurement: SpeedMeasurement): void => {
      if (this.speed !== controller) return;
      this.measured = { of, ...measurement };
      post({ kind: 'speed', speed: this.measured });
    };
    await measureSpeed(plan, panel.structures.speed, tell, controller.signal);
  }
}

/** The evaluation that a result of a run is. */
export function planOfResult(run: RunFolder, of: ResultName): Promise<EvaluationPlan> {
  return evaluationOfRun(run, of.kind === 'mask' ? undefined : of.id);
}
