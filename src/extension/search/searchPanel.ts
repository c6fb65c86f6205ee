import { runMethod } from '../../search/runMethod.ts';
import * as vscode from 'vscode';
import { isRunOf } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import { WebviewChannel } from '../webviewChannel.ts';
import { webviewHtml, webviewRoots } from '../webviewHtml.ts';
import { saveFigure } from '../saveFigure.ts';
import { saveExport, savePicture } from './exportCommand.ts';
import { MetricDesk } from './metricDesk.ts';
import type { PanelActions, PanelDesk } from './panelDesk.ts';
import { panelItems } from '../../view/panelItems.ts';
import { fromPanelSchema } from '../../view/panelMessages.ts';
import type { FromPanel, PanelQueue, RunActivity, ToPanel } from '../../view/panelMessages.ts';
import { RunFollower } from './runFollower.ts';
import { followLine } from './runLines.ts';
import { stateOf } from './followedState.ts';
import { planOfResult, BlockSearchDesk } from './blockSearchDesk.ts';
import type { SearchPanelParts } from './panelParts.ts';
import type { DrivenQueue } from './searchRunner.ts';
import { workerCommand } from '../queue/workerCommand.ts';

export const PANEL_TYPE = 'espalier.search';

/** What starts a process. */
const NEEDS_TRUST: Readonly<Record<FromPanel['kind'], boolean>> = {
  ...{ saveRecovery: true, resume: true, random: true, evaluate: true, curves: true, speed: true, exportModel: true },
  ...{ ready: false, pause: false, stop: false, insert: false, tree: false, cancelCurves: false, cancelSpeed: false },
  ...{ exportTable: false, exportPicture: false, exportFigure: false, exchange: false, showLog: false, queue: false },
};

/** One run in a panel: reads its journal, shows it, and does what is asked there. */
export class SearchPanel implements vscode.Disposable {
  readonly run: RunFolder;
  private readonly parts: SearchPanelParts;
  private readonly panel: vscode.WebviewPanel;
  private readonly channel: WebviewChannel<ToPanel, FromPanel>;
  private readonly onGone: () => void;
  private readonly desk: PanelDesk;
  private follower: RunFollower | undefined;
  private overlay: RunFollower | undefined;
  private compared: RunFolder | undefined;
  private isReady = false;
  private lastState = '';
  private lastQueue = '';
  private readonly owned: { dispose(): unknown }[] = [];
  /** What every kind of search can be asked. */
  private readonly actions: PanelActions = {
    ready: () => {
      this.begin();
    },
    pause: () => {
      this.parts.runner.pause(this.run.folder);
    },
    stop: () => {
      this.parts.runner.stop(this.run.folder);
    },
    resume: () => {
      this.parts.runner.drive(this.run.folder);
    },
    exportTable: ({ format }) => {
      this.attempt('The run could not be exported', () => saveExport(this.run, format));
    },
    exportPicture: ({ data }) => {
      this.attempt('The picture could not be saved', () => savePicture(this.run, data));
    },
    exportFigure: ({ figure }) => {
      this.attempt('The figure could not be saved', () => saveFigure(figure, this.run.root, this.run.record.id));
    },
    exportModel: ({ of }) => {
      this.attempt('The model could not be exported', async () => {
        await this.parts.structures.exportModel(await planOfResult(this.run, of), this.run.root);
      });
    },
    saveRecovery: ({ as }) => {
      this.attempt('The recovery could not be saved', () => this.parts.saveRecovery(this.run, as));
    },
    showLog: () => {
      this.parts.showLog();
    },
    queue: ({ wanted }) => {
      this.attempt('The queue could not be set up', async () => {
        await this.parts.queueActions[wanted]();
      });
    },
  };

  constructor(run: RunFolder, panel: vscode.WebviewPanel, parts: SearchPanelParts, onGone: () => void) {
    this.run = run;
    this.panel = panel;
    this.parts = parts;
    this.onGone = onGone;
    this.desk = this.deskFor(run);
    const title = parts.runLibrary.titleOf(run).title;
    panel.title = title;
    panel.iconPath = {
      light: vscode.Uri.joinPath(parts.extension, 'media/search-light.svg'),
      dark: vscode.Uri.joinPath(parts.extension, 'media/search-dark.svg'),
    };
    panel.webview.options = { enableScripts: true, localResourceRoots: webviewRoots(parts.extension) };
    this.channel = new WebviewChannel<ToPanel, FromPanel>(panel.webview, fromPanelSchema, (message) => {
      this.receive(message);
    });
    this.owned.push(
      this.channel,
      panel.onDidDispose(() => {
        this.dispose();
      }),
      panel.onDidChangeViewState(() => {
        // A hidden page is thrown away; it asks for everything when it is shown again.
        if (!panel.visible) this.forget();
      }),
    );
    panel.webview.html = webviewHtml(panel.webview, parts.extension, 'panel', title);
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
    this.tellQueue();
  }

  /** The list of runs has changed. */
  lookAround(): void {
    this.tellName();
    if (this.isReady) this.desk.lookAround();
  }

  /** The file has changed: it may hold other candidates now. */
  lookAtFile(): void {
    if (this.isReady) this.desk.lookAtFile();
  }

  /** Draws another run's best beside this one's. */
  compareWith(other: RunFolder): void {
    this.compared = other;
    if (this.isReady) this.followCompared(other);
  }

  private followCompared(other: RunFolder): void {
    this.overlay?.dispose();
    const label = `${this.parts.runLibrary.titleOf(other).title} (${runMethod(other.record.plan).name})`;
    this.overlay = followLine(other, (line) => {
      this.post({ kind: 'overlay', lines: [{ ...line, label }] });
    });
  }

  close(): void {
    this.panel.dispose();
  }

  dispose(): void {
    this.forget();
    this.desk.dispose();
    for (const each of this.owned.splice(0)) each.dispose();
    this.onGone();
  }

  private forget(): void {
    this.isReady = false;
    this.desk.forget();
    for (const follower of [this.follower, this.overlay]) follower?.dispose();
    this.follower = this.overlay = undefined;
  }

  private receive(message: FromPanel): void {
    if (NEEDS_TRUST[message.kind] && !vscode.workspace.isTrusted) {
      this.parts.explainTrust();
      return;
    }
    const actions: PanelActions = { ...this.actions, ...this.desk.actions };
    // What is asked of a desk of another kind is passed over.
    (actions[message.kind] as ((message: FromPanel) => void) | undefined)?.(message);
  }

  /** A page is there and knows nothing. */
  private begin(): void {
    this.forget();
    const { record: run, root, folder } = this.run;
    this.isReady = true;
    this.lastState = this.lastQueue = '';
    this.post({
      kind: 'run',
      run: {
        folder,
        id: run.id,
        plan: run.plan,
        methodTitle: runMethod(run.plan).title,
        createdAt: Date.parse(run.createdAt),
        ...(run.document !== undefined && { document: run.document }),
      },
    });
    this.tellName();
    this.tellQueue();
    this.follower = new RunFollower(
      { record: run, root, folder },
      {
        clock: SYSTEM_CLOCK,
        onRecords: (records, complete) => {
          const { opening } = this.follower!.state;
          const components = opening && 'components' in opening ? opening.components : [];
          this.post({ kind: 'events', items: panelItems(records, components), complete });
          // What is read is ahead of what is shown until then.
          if (complete) this.tellState();
        },
      },
    );
    void this.follower.look();
    this.desk.begin();
    if (this.compared) this.followCompared(this.compared);
  }

  /** Runs of one search are told apart, and somebody may have given this one a name. */
  private tellName(): void {
    const { runLibrary } = this.parts;
    const { title, details } = runLibrary.titleOf(this.run);
    const note = runLibrary.noteOf(this.run.folder);
    if (this.panel.title !== title) this.panel.title = title;
    this.post({ kind: 'called', called: { title, details, ...(note !== undefined && { note }) } });
  }

  private tellState(): void {
    if (!this.isReady) return;
    const state = this.state();
    const told = JSON.stringify(state);
    if (told === this.lastState || !state) return;
    this.lastState = told;
    this.post({ kind: 'state', state });
  }

  private tellQueue(): void {
    if (!this.isReady) return;
    const queue = panelQueue(this.parts.runner.queueOf(this.run.folder));
    const told = JSON.stringify(queue);
    if (told === this.lastQueue) return;
    this.lastQueue = told;
    this.post({ kind: 'queue', queue });
  }

  private state(): RunActivity | undefined {
    const { runner } = this.parts;
    const { follower } = this;
    const driving = runner.drivingOf(this.run.folder);
    if (!follower?.isComplete && !follower?.error) return driving;
    return stateOf(follower, runner);
  }

  private deskFor(run: RunFolder): PanelDesk {
    const shared = {
      panel: this.parts,
      post: (message: ToPanel): void => {
        this.post(message);
      },
      attempt: (what: string, act: () => Promise<unknown>): void => {
        this.attempt(what, act);
      },
      follower: () => this.follower,
    };
    return isRunOf(run, 'metrics') ? new MetricDesk({ ...shared, run }) : new BlockSearchDesk({ ...shared, run });
  }

  private attempt(what: string, act: () => Promise<unknown>): void {
    act().catch((error: unknown) => {
      this.parts.tell(what, error);
    });
  }

  private post(message: ToPanel): void {
    if (this.isReady) this.channel.post(message);
  }
}

function panelQueue(queue: DrivenQueue | undefined): PanelQueue | null {
  if (!queue) return null;
  const { address, shown, hasPassword, workers = null } = queue;
  return { address: shown, command: workerCommand(address), hasPassword, workers };
}
