import * as vscode from 'vscode';
import { iconFree } from '../messages.ts';
import type { SearchRunner } from './searchRunner.ts';

/** An item in the status bar while this window drives searches; a click shows them. */
export class SearchStatus implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;
  private readonly runner: SearchRunner;

  constructor(runner: SearchRunner) {
    this.runner = runner;
    this.item = vscode.window.createStatusBarItem('espalier.searches', vscode.StatusBarAlignment.Right, 99);
    this.item.name = 'Espalier Searches';
    this.item.command = 'espalier.openRun';
  }

  refresh(): void {
    const folders = this.runner.folders;
    void vscode.commands.executeCommand('setContext', 'espalier.searching', folders.length > 0);
    if (folders.length === 0) {
      this.item.hide();
      return;
    }
    const states = folders.map((folder) => this.runner.drivingOf(folder)!);
    const [first] = states;
    const queues = [...new Set(folders.flatMap((folder) => this.runner.queueOf(folder)?.shown ?? []))];
    const over = queues.length === 0 ? '' : ` over ${queues.join(' and ')}`;
    const text = states.length > 1 ? `${states.length} searches` : WORDS[first!.kind];
    this.item.text = `$(sync~spin) ${iconFree(`${text}${over}`)}`;
    const detail = first && 'detail' in first ? `: ${first.detail}` : '';
    this.item.tooltip = iconFree(`Espalier: ${text}${over}${detail}. Click to show it.`);
    this.item.accessibilityInformation = { label: iconFree(`Espalier, ${text}${over}`) };
    this.item.show();
  }

  dispose(): void {
    this.item.dispose();
  }
}

const WORDS = { starting: 'search starts', running: 'searching', pausing: 'search pauses' } as const;
