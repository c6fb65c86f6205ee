import * as vscode from 'vscode';
import { openRun } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { panelMemorySchema } from '../../view/panelMessages.ts';
import { isRunPath } from './runPath.ts';
import { PANEL_TYPE, SearchPanel } from './searchPanel.ts';
import type { SearchPanelParts } from './panelParts.ts';

/** The open panels, one a run at most; they come back after a reload of the window. */
export class SearchPanels implements vscode.WebviewPanelSerializer, vscode.Disposable {
  private readonly parts: SearchPanelParts;
  private readonly panels = new Map<string, SearchPanel>();
  private readonly registration: vscode.Disposable;

  constructor(parts: SearchPanelParts) {
    this.parts = parts;
    this.registration = vscode.window.registerWebviewPanelSerializer(PANEL_TYPE, this);
  }

  /** Shows a run beside the editor, or brings its panel to the front. */
  show(run: RunFolder): SearchPanel {
    const open = this.panels.get(run.folder);
    if (open) {
      open.reveal();
      return open;
    }
    const column = vscode.window.activeTextEditor ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active;
    const options = { viewColumn: column, preserveFocus: false };
    return this.adopt(
      run,
      vscode.window.createWebviewPanel(PANEL_TYPE, this.parts.runLibrary.titleOf(run).title, options, {
        enableFindWidget: true,
      }),
    );
  }

  find(folder: string): SearchPanel | undefined {
    return this.panels.get(folder);
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, memory: unknown): Promise<void> {
    try {
      const { folder } = panelMemorySchema.parse(memory);
      if (!isRunPath(folder)) throw new RangeError('no folder of a run');
      this.adopt(await openRun(folder), panel);
    } catch {
      // Deleted meanwhile, or never a run: there is nothing to show.
      panel.dispose();
    }
  }

  look(folder: string): void {
    this.panels.get(folder)?.look();
  }

  lookAround(): void {
    for (const panel of this.panels.values()) panel.lookAround();
  }

  lookAtFiles(): void {
    for (const panel of this.panels.values()) panel.lookAtFile();
  }

  /** A run was deleted. */
  close(folder: string): void {
    this.panels.get(folder)?.close();
  }

  dispose(): void {
    this.registration.dispose();
    for (const panel of [...this.panels.values()]) panel.dispose();
  }

  private adopt(run: RunFolder, webview: vscode.WebviewPanel): SearchPanel {
    const panel = new SearchPanel(run, webview, this.parts, () => {
      if (this.panels.get(run.folder) === panel) this.panels.delete(run.folder);
    });
    this.panels.set(run.folder, panel);
    return panel;
  }
}
