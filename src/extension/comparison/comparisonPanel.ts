import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { openRun } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import type { ComparedRuns } from '../../runs/comparedRuns.ts';
import type { Clock } from '../../base/clock.ts';
import type { ComparedRun } from '../../search/comparison/comparedRun.ts';
import { fromComparisonSchema } from '../../view/comparisonMessages.ts';
import type { FromComparison, ToComparison } from '../../view/comparisonMessages.ts';
import { WebviewChannel } from '../webviewChannel.ts';
import { webviewHtml, webviewRoots } from '../webviewHtml.ts';
import { comparisonFigure } from '../../view/comparisonFigure.ts';
import { tellInformation } from '../messages.ts';
import { saveFigure } from '../saveFigure.ts';
import { copyComparison } from './copyComparison.ts';

export const COMPARISON_TYPE = 'espalier.comparison';

export interface ComparisonParts {
  readonly extension: vscode.Uri;
  readonly compared: ComparedRuns;
  readonly clock: Clock;
  /** What a run is called beside others. */
  readonly titleOf: (run: RunFolder) => string;
  readonly open: (folder: string) => unknown;
  readonly editTags: (folder: string) => unknown;
  /** Asks which more runs are to be compared. @param folders that are there already */
  readonly choose: (folders: readonly string[]) => Promise<readonly string[] | undefined>;
  readonly tell: (what: string, error: unknown) => void;
}

/** Milliseconds from one look to the next, while one of the runs is driven. */
const LIVE = 1000;

/** Runs beside each other in a page: reads their journals, and goes on reading while somebody drives one of them. */
export class ComparisonPanel implements vscode.Disposable {
  private readonly parts: ComparisonParts;
  private readonly panel: vscode.WebviewPanel;
  private readonly channel: WebviewChannel<ToComparison, FromComparison>;
  private readonly owned: { dispose(): unknown }[] = [];
  private runs: readonly RunFolder[];
  private known = new Map<string, ComparedRun>();
  /** What the page was told of each run. */
  private told = new Map<string, string>();
  private isReady = false;
  private looking: Promise<void> | undefined;
  private withdraw: (() => void) | undefined;

  constructor(runs: readonly RunFolder[], panel: vscode.WebviewPanel, parts: ComparisonParts, onGone: () => void) {
    this.runs = runs;
    this.panel = panel;
    this.parts = parts;
    panel.iconPath = {
      light: vscode.Uri.joinPath(parts.extension, 'media/compare-light.svg'),
      dark: vscode.Uri.joinPath(parts.extension, 'media/compare-dark.svg'),
    };
    panel.webview.options = { enableScripts: true, localResourceRoots: webviewRoots(parts.extension) };
    this.channel = new WebviewChannel<ToComparison, FromComparison>(panel.webview, fromComparisonSchema, (message) => {
      this.receive(message);
    });
    this.owned.push(
      this.channel,
      panel.onDidDispose(() => {
        this.dispose();
        onGone();
      }),
      panel.onDidChangeViewState(() => {
        // A hidden page is thrown away; it asks for everything when it is shown again.
        if (!panel.visible) this.forget();
      }),
    );
    this.retitle();
    panel.webview.html = webviewHtml(panel.webview, parts.extension, 'comparison', panel.title);
  }

  get folders(): readonly string[] {
    return this.runs.map(({ folder }) => folder);
  }

  reveal(): void {
    this.panel.reveal(undefined, false);
  }

  /** Runs, their names or tags may have changed. */
  async look(): Promise<void> {
    if (!this.isReady) return;
    this.withdraw?.();
    this.withdraw = undefined;
    this.looking ??= this.read().finally(() => {
      this.looking = undefined;
      const isLive = [...this.known.values()].some(({ state }) => state === 'running');
      if (this.isReady && isLive) this.withdraw = this.parts.clock.after(LIVE, () => void this.look());
    });
    await this.looking;
  }

  dispose(): void {
    this.forget();
    for (const each of this.owned.splice(0)) each.dispose();
  }

  close(): void {
    this.panel.dispose();
  }

  /** Whether a run that was deleted was among these. */
  forgetRun(folder: string): void {
    if (this.folders.includes(folder)) this.change(this.runs.filter((run) => run.folder !== folder));
  }

  private forget(): void {
    this.isReady = false;
    this.told = new Map();
    this.withdraw?.();
    this.withdraw = undefined;
  }

  private async read(): Promise<void> {
    try {
      await this.parts.compared.read(this.runs, this.parts.titleOf, (run) => {
        this.tell(run);
      });
    } catch (error) {
      this.parts.tell('The runs cannot be compared', error);
    }
  }

  /** What is the same as before is not sent again. */
  private tell(run: ComparedRun): void {
    this.known.set(run.folder, run);
    if (!this.isReady || !this.folders.includes(run.folder)) return;
    const now = JSON.stringify(run);
    if (this.told.get(run.folder) === now) return;
    this.told.set(run.folder, now);
    this.channel.post({ kind: 'runs', runs: [run] });
  }

  private change(runs: readonly RunFolder[]): void {
    this.runs = runs;
    this.retitle();
    if (!this.isReady) return;
    this.channel.post({ kind: 'folders', folders: this.folders });
    void this.look();
  }

  private retitle(): void {
    this.panel.title = `Compare ${this.runs.length} Runs`;
  }

  private receive(message: FromComparison): void {
    switch (message.kind) {
      case 'ready':
        this.forget();
        this.isReady = true;
        this.channel.post({ kind: 'folders', folders: this.folders });
        // What was read before is there at once.
        for (const run of this.known.values()) this.tell(run);
        void this.look();
        return;
      case 'open':
        this.parts.open(message.folder);
        return;
      case 'tags':
        this.parts.editTags(message.folder);
        return;
      case 'remove':
        this.forgetRun(message.folder);
        return;
      case 'add':
        void this.add();
        return;
      case 'copy':
        this.attempt('The table could not be copied', () =>
          copyComparison(this.shown(message.folders), message.pinned, message.format),
        );
        return;
      case 'figure':
        this.attempt('The figure could not be saved', () => this.save(message));
        return;
    }
  }

  private shown(folders: readonly string[]): readonly ComparedRun[] {
    return folders.flatMap((folder) => this.known.get(folder) ?? []);
  }

  private async save({ folders, pinned, chart, format }: Extract<FromComparison, { kind: 'figure' }>): Promise<void> {
    const figure = comparisonFigure(this.shown(folders), chart, pinned);
    if (figure) await saveFigure(figure, this.runs[0]?.root ?? homedir(), 'runs', format);
    else void tellInformation('There is no line to save yet.');
  }

  private async add(): Promise<void> {
    const chosen = await this.parts.choose(this.folders);
    if (!chosen) return;
    this.attempt('The run cannot be compared', async () => {
      this.change([...this.runs, ...(await Promise.all(chosen.map((folder) => openRun(folder))))]);
    });
  }

  private attempt(what: string, act: () => Promise<unknown>): void {
    act().catch((error: unknown) => {
      this.parts.tell(what, error);
    });
  }
}
