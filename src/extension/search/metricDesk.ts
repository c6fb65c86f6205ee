import { parsePrefix } from '../../metric/parsePrefix.ts';
import { planInputs } from '../../experiment/planInputs.ts';
import type { MetricSearchPlan } from '../../search/metrics/plan.ts';
import { planOf } from '../../runs/runRecord.ts';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import { evaluateCurves } from './curves.ts';
import { tellExchange } from './exchanges.ts';
import { stateOf } from './followedState.ts';
import type { PanelActions, PanelDesk } from './panelDesk.ts';
import type { FromPanel } from '../../view/panelMessages.ts';
import type { RunFollower } from './runFollower.ts';
import { followLine } from './runLines.ts';
import type { DeskParts } from './panelParts.ts';

/** What one does with a search for metrics: take candidates into the file, compare with random search, evaluate curves. */
export class MetricDesk implements PanelDesk {
  readonly actions: PanelActions = {
    random: () => {
      this.parts.attempt('Random search could not be started', () => this.parts.panel.startRandom(this.parts.run));
    },
    insert: ({ id }) => {
      this.write(id, 'insert');
    },
    evaluate: ({ id }) => {
      this.write(id, 'evaluate');
    },
    tree: ({ id }) => {
      this.parts.attempt(`The tree of candidate #${id} could not be shown`, () => this.showTree(id));
    },
    exchange: ({ call }) => {
      tellExchange(call, this.parts);
    },
    curves: (message) => {
      this.evaluateCurves(message);
    },
    cancelCurves: () => {
      this.curves?.abort();
    },
  };
  private readonly parts: DeskParts<MetricSearchPlan>;
  private random: RunFollower | undefined;
  private curves: AbortController | undefined;

  constructor(parts: DeskParts<MetricSearchPlan>) {
    this.parts = parts;
  }

  begin(): void {
    this.lookAtFile();
    this.lookAround();
  }

  forget(): void {
    this.random?.dispose();
    this.random = undefined;
  }

  dispose(): void {
    this.forget();
    this.curves?.abort();
  }

  private write(id: number, what: 'insert' | 'evaluate'): void {
    const { run, panel, attempt, follower } = this.parts;
    const state = follower()?.state;
    const candidate = state?.kind === 'metrics' ? state.byId.get(id) : undefined;
    if (!candidate) return;
    attempt(`Candidate #${id} could not be written into the file`, async () => {
      await panel.candidates.insert(run, candidate, state?.opening, what);
      this.lookAtFile();
    });
  }

  /** The newest random search of the same plan, if there is one. */
  lookAround(): void {
    const { panel, run, post } = this.parts;
    const { plan } = run.record;
    const beside = plan.search.method === 'random' ? undefined : panel.runLibrary.randomBeside(plan);
    if (this.random && beside?.folder === this.random.run.folder) return;
    this.forget();
    if (!beside) {
      post({ kind: 'random', line: null, state: null });
      return;
    }
    this.random = followLine(beside.run, (line, follower) => {
      post({ kind: 'random', line, state: stateOf(follower, panel.runner) });
    });
  }

  /** The file may hold other candidates now. */
  lookAtFile(): void {
    const { post, panel, run } = this.parts;
    post({ kind: 'inserted', names: panel.candidates.inserted(run) });
  }

  /** The tree of a candidate, which the file need not hold; its numbers are those of the search's model and calibration. */
  private async showTree(id: number): Promise<void> {
    const { run, panel, follower } = this.parts;
    const state = follower()?.state;
    const candidate = state?.kind === 'metrics' ? state.byId.get(id) : undefined;
    if (!candidate) return;
    const { name, ...rest } = planOf(run.record, run.root);
    const plan = { ...planInputs(rest), evaluations: [] };
    const title = `${name} #${id}`;
    await panel.showTree({ kind: 'formula', title, expression: parsePrefix(candidate.expression), plan });
  }

  private evaluateCurves({ over, metrics }: Extract<FromPanel, { kind: 'curves' }>): void {
    this.curves?.abort();
    const controller = new AbortController();
    this.curves = controller;
    const { run, panel, post } = this.parts;
    void evaluateCurves(
      { plan: planOf(run.record, run.root), over, metrics },
      {
        evaluate: panel.evaluate,
        onChange: (curves) => {
          if (this.curves === controller) post({ kind: 'curves', curves });
        },
        now: () => SYSTEM_CLOCK.now() / 1000,
        signal: controller.signal,
      },
    );
  }
}
