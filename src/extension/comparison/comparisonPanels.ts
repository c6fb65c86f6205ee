import * as vscode from 'vscode';
import { openRun } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { comparisonMemorySchema } from '../../view/comparisonMessages.ts';
import { isRunPath } from '../search/runPath.ts';
import { COMPARISON_TYPE, ComparisonPanel } from './comparisonPanel.ts';
import type { ComparisonParts } from './comparisonPanel.ts';

/** The open comparisons; they come back after a reload of the window. */
export class ComparisonPanels implements vscode.WebviewPanelSerializer, vscode.Disposable {
  private readonly parts: ComparisonParts;
  private readonly panels = new Set<ComparisonPanel>();
  private readonly registration: vscode.Disposable;

  constructor(parts: ComparisonParts) {
    this.parts = parts;
    this.registration = vscode.window.registerWebviewPanelSerializer(COMPARISON_TYPE, this);
  }

  /** Shows these runs beside each other; a tab that has just these comes to the front. */
  show(runs: readonly RunFolder[]): void {
    const wanted = runs.map(({ folder }) => folder);
    const open = [...this.panels].find(
      ({ folders }) => folders.length === wanted.length && wanted.every((folder) => folders.includes(folder)),
    );
    if (open) {
      open.reveal();
      return;
    }
    const options = { enableFindWidget: true };
    this.adopt(runs, vscode.window.createWebviewPanel(COMPARISON_TYPE, '', vscode.ViewColumn.Active, options));
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, memory: unknown): Promise<void> {
    const { data } = comparisonMemorySchema.safeParse(memory);
    const folders = (data?.folders ?? []).filter(isRunPath);
    const opened = await Promise.allSettled(folders.map((folder) => openRun(folder)));
    // Those that were deleted meanwhile are missing.
    const runs = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    if (runs.length === 0) panel.dispose();
    else this.adopt(runs, panel);
  }

  /** The list of runs has changed, or what is said of them. */
  lookAround(): void {
    for (const panel of this.panels) void panel.look();
  }

  /** A run was deleted. */
  forget(folder: string): void {
    for (const panel of this.panels) panel.forgetRun(folder);
  }

  dispose(): void {
    this.registration.dispose();
    for (const panel of [...this.panels]) panel.dispose();
  }

  private adopt(runs: readonly RunFolder[], webview: vscode.WebviewPanel): void {
    const panel = new ComparisonPanel(runs, webview, this.parts, () => this.panels.delete(panel));
    this.panels.add(panel);
  }
}
