import * as vscode from 'vscode';
import type { ErrorData } from '../../base/errors.ts';
import type { EvaluationResult } from '../../experiment/result.ts';
import type { EvaluationPlan } from '../../experiment/plan.ts';
import type { EvaluationListener } from '../../protocol/client.ts';
import { parsePrefix } from '../../metric/parsePrefix.ts';
import type { SearchPlan } from '../../experiment/search.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { planOf } from '../../runs/runRecord.ts';
import type { SearchState } from '../../search/searchState.ts';
import { SYSTEM_CLOCK } from '../clock.ts';
import { webviewHtml, webviewRoots } from '../webviewHtml.ts';
import { withRelativePaths } from '../workspacePaths.ts';
import { evaluateCurves } from './curves.ts';
import { saveExport, savePicture } from './exportCommand.ts';
import type { CandidateFile } from './candidateFile.ts';
import { panelItems } from './panelItems.ts';
import type { FormulaTarget } from '../tree/treeMessages.ts';
import type { FromPanel, RunLine, RunState, ToPanel } from './panelMessages.ts';
import { RunFollower } from './runFollower.ts';
import type { RunLibrary } from './runLibrary.ts';
import { runState } from './runState.ts';
import type { SearchRunner } from './searchRunner.ts';

export const PANEL_TYPE = 'espalier.search';

export interface SearchPanelParts {
  readonly extension: vscode.Uri;
  readonly runner: SearchRunner;
  readonly library: RunLibrary;
  readonly evaluate: (
    plan: EvaluationPlan,
    listener: EvaluationListener,
    signal: AbortSignal,
  ) => Promise<readonly EvaluationResult[]>;
  readonly candidates: CandidateFile;
  /** Shows the tree of a formula that stands in no file. */
  readonly showTree: (formula: FormulaTarget) => Promise<void>;
  /** Starts random search of the same plan as a run of its own. */
  readonly startRandom: (run: RunFolder<SearchPlan>) => Promise<void>;
  readonly showLog: () => void;
  readonly explainTrust: () => void;
  readonly tell: (what: string, error: unknown) => void;
}

/** What starts a process. */
const NEEDS_TRUST: ReadonlySet<FromPanel['kind']> = new Set(['resume', 'random', 'evaluate', 'curves']);

/** One run in a panel: reads its journal, shows it, and does what is asked there. */
export class SearchPanel implements vscode.Disposable {
  readonly run: RunFolder<SearchPlan>;
  private readonly parts: SearchPanelParts;
  private readonly panel: vscode.WebviewPanel;
  private readonly onGone: () => void;
  private follower: RunFollower | undefined;
  private random: RunFollower | undefined;
  private overlay: RunFollower | undefined;
  private compared: RunFolder | undefined;
  private curves: AbortController | undefined;
  private isReady = false;
  private lastState = '';
  private readonly owned: vscode.Disposable[] = [];

  constructor(run: RunFolder<SearchPlan>, panel: vscode.WebviewPanel, parts: SearchPanelParts, onGone: () => void) {
    this.run = run;
    this.panel = panel;
    this.parts = parts;
    this.onGone = onGone;
    panel.title = run.run.plan.name;
    panel.iconPath = {
      light: vscode.Uri.joinPath(parts.extension, 'media/search-light.svg'),
      dark: vscode.Uri.joinPath(parts.extension, 'media/search-dark.svg'),
    };
    panel.webview.options = { enableScripts: true, localResourceRoots: webviewRoots(parts.extension) };
    this.owned.push(
      panel.webview.onDidReceiveMessage((message: FromPanel) => {
        this.receive(message);
      }),
      panel.onDidDispose(() => {
        this.dispose();
      }),
      panel.onDidChangeViewState(() => {
        // A hidden page is thrown away; it asks for everything when it is shown again.
        if (!panel.visible) this.forget();
      }),
    );
    panel.webview.html = webviewHtml(panel.webview, parts.extension, 'panel', run.run.plan.name);
  }

  get isVisible(): boolean {
    return this.panel.visible;
  }

  reveal(): void {
    this.panel.reveal(undefined, false);
  }

  /** What this window does with the run has changed, or its journal has grown. */
  look(): void {
    if (this.isReady) void this.follower?.look();
    this.tellState();
  }

  /** The list of runs has changed. */
  lookAround(): void {
    if (this.isReady) this.followRandom();
  }

  /** The file has changed: it may hold other candidates now. */
  lookAtFile(): void {
    if (this.isReady) this.post({ kind: 'inserted', names: this.parts.candidates.inserted(this.run) });
  }

  /** Draws another run's best beside this one's. */
  compareWith(other: RunFolder): void {
    this.compared = other;
    if (this.isReady) this.followCompared(other);
  }

  private followCompared(other: RunFolder): void {
    this.overlay?.dispose();
    const label = `${other.run.plan.name} (${other.run.plan.search.method})`;
    this.overlay = this.followLine(other, (line) => {
      this.post({ kind: 'overlay', lines: [{ ...line, label }] });
    });
  }

  close(): void {
    this.panel.dispose();
  }

  dispose(): void {
    this.forget();
    this.curves?.abort();
    for (const each of this.owned.splice(0)) each.dispose();
    this.onGone();
  }

  private forget(): void {
    this.isReady = false;
    for (const follower of [this.follower, this.random, this.overlay]) follower?.dispose();
    this.follower = this.random = this.overlay = undefined;
  }

  private receive(message: FromPanel): void {
    const { runner, candidates, showLog, explainTrust } = this.parts;
    const { folder } = this.run;
    if (NEEDS_TRUST.has(message.kind) && !vscode.workspace.isTrusted) {
      explainTrust();
      return;
    }
    switch (message.kind) {
      case 'ready':
        this.begin();
        return;
      case 'pause':
        runner.pause(folder);
        return;
      case 'stop':
        runner.stop(folder);
        return;
      case 'resume':
        runner.drive(folder);
        return;
      case 'random':
        this.attempt('Random search could not be started', () => this.parts.startRandom(this.run));
        return;
      case 'insert':
      case 'evaluate': {
        const candidate = this.follower?.search.byId.get(message.id);
        if (!candidate) return;
        const densePerplexity = this.follower?.search.opening?.densePerplexity;
        this.attempt(`Candidate #${message.id} could not be written into the file`, async () => {
          await candidates.insert(this.run, candidate, densePerplexity, message.kind);
          this.lookAtFile();
        });
        return;
      }
      case 'tree':
        this.attempt(`The tree of candidate #${message.id} could not be shown`, () => this.showTree(message.id));
        return;
      case 'curves':
        this.evaluateCurves(message);
        return;
      case 'cancelCurves':
        this.curves?.abort();
        return;
      case 'exportTable':
        this.attempt('The run could not be exported', () => saveExport(this.run, message.format));
        return;
      case 'exportPicture':
        this.attempt('The picture could not be saved', () => savePicture(this.run, message.data));
        return;
      case 'showLog':
        showLog();
        return;
    }
  }

  /** The tree of a candidate, which the file need not hold; its numbers are those of the search's model and calibration. */
  private async showTree(id: number): Promise<void> {
    const candidate = this.follower?.search.byId.get(id);
    if (!candidate) return;
    const { model, text, calibration, settings, name } = planOf(this.run.run, this.run.root);
    const plan = { model, text, ...(calibration !== undefined && { calibration }), settings, evaluations: [] };
    const title = `${name} #${id}`;
    await this.parts.showTree({ kind: 'formula', title, expression: parsePrefix(candidate.expression), plan });
  }

  /** A page is there and knows nothing. */
  private begin(): void {
    this.forget();
    const { run, root, folder } = this.run;
    this.isReady = true;
    this.lastState = '';
    this.post({
      kind: 'run',
      run: {
        folder,
        id: run.id,
        plan: run.plan,
        createdAt: Date.parse(run.createdAt),
        ...(run.document !== undefined && { document: run.document }),
      },
    });
    this.follower = new RunFollower(
      { run, root, folder },
      {
        clock: SYSTEM_CLOCK,
        onRecords: (records, complete) => {
          this.post({ kind: 'events', items: panelItems(records), complete });
          // What is read is ahead of what is shown until then.
          if (complete) this.tellState();
        },
      },
    );
    void this.follower.look();
    this.lookAtFile();
    this.followRandom();
    if (this.compared) this.followCompared(this.compared);
  }

  private tellState(): void {
    if (!this.isReady) return;
    const state = this.state();
    const told = JSON.stringify(state);
    if (told === this.lastState || !state) return;
    this.lastState = told;
    this.post({ kind: 'state', state });
  }

  private state(): RunState | undefined {
    const { runner } = this.parts;
    const { follower } = this;
    const driving = runner.drivingOf(this.run.folder);
    if (!follower?.isComplete && !follower?.error) return driving;
    return stateOf(follower, runner);
  }

  /** The newest random search of the same plan, if there is one. */
  private followRandom(): void {
    const { library, runner } = this.parts;
    const { plan } = this.run.run;
    const beside = plan.search.method === 'random' ? undefined : library.randomBeside(plan);
    if (beside?.folder === this.random?.run.folder) return;
    this.random?.dispose();
    this.random = undefined;
    if (!beside) {
      this.post({ kind: 'random', line: null, state: null });
      return;
    }
    this.random = this.followLine(beside.run, (line, follower) => {
      this.post({ kind: 'random', line, state: stateOf(follower, runner) });
    });
  }

  private followLine(run: RunFolder, tell: (line: RunLine, follower: RunFollower) => void): RunFollower {
    const follower: RunFollower = new RunFollower(run, {
      clock: SYSTEM_CLOCK,
      onRecords: (records, complete) => {
        const isNews =
          records.length === 0 ||
          records.some(({ event }) => event.kind === 'generation') ||
          follower.search.status !== 'running';
        if (complete && isNews) tell({ label: run.run.plan.name, points: pointsOf(follower.search) }, follower);
      },
    });
    void follower.look();
    return follower;
  }

  private evaluateCurves({ over, metrics }: Extract<FromPanel, { kind: 'curves' }>): void {
    this.curves?.abort();
    const controller = new AbortController();
    this.curves = controller;
    const { run, root } = this.run;
    void evaluateCurves(
      { plan: planOf(run, root), over, metrics },
      {
        evaluate: this.parts.evaluate,
        onChange: (curves) => {
          if (this.curves === controller) this.post({ kind: 'curves', curves });
        },
        now: () => SYSTEM_CLOCK.now() / 1000,
        signal: controller.signal,
      },
    );
  }

  private attempt(what: string, act: () => Promise<unknown>): void {
    act().catch((error: unknown) => {
      this.parts.tell(what, error);
    });
  }

  private post(message: ToPanel): void {
    if (this.isReady) void this.panel.webview.postMessage(message);
  }
}

export function stateOf(follower: RunFollower, runner: SearchRunner): RunState {
  const { folder } = follower.run;
  const shown = (error: ErrorData | undefined): ErrorData | undefined => error && withRelativePaths(error);
  return runState({
    status: follower.search.status,
    isDriven: follower.isDriven,
    driving: runner.drivingOf(folder),
    error: shown(runner.errorOf(folder) ?? follower.error),
    failure: shown(follower.search.error),
  });
}

function pointsOf({ generations }: SearchState): RunLine['points'] {
  return generations.flatMap(({ generation, bestSoFar, counts }) =>
    bestSoFar
      ? [
          {
            generation,
            perplexity: bestSoFar.perplexity,
            candidates: counts.candidates,
            evaluations: counts.evaluations,
          },
        ]
      : [],
  );
}
