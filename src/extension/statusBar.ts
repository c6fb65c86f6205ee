import * as vscode from 'vscode';
import { markdownText } from '../base/markdown.ts';
import { markdownString } from './markdownString.ts';
import { iconFree } from './messages.ts';
import type { WorkerState } from './worker/supervisor.ts';

export interface StatusView {
  readonly worker: WorkerState;
  /** Device of the last result, or the one that is set. */
  readonly device: string;
  /** Name of the checkpoint in use, where there is one. */
  readonly checkpoint: string | undefined;
  /** How many evaluations run or wait. */
  readonly active: number;
  readonly progress: string | undefined;
}

/** One item: `Espalier: cpu · tiny`, with a spinner while it works. */
export class StatusBar implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;

  constructor() {
    this.item = vscode.window.createStatusBarItem('espalier.status', vscode.StatusBarAlignment.Right, 100);
    this.item.name = 'Espalier';
    this.item.command = 'espalier.showMenu';
  }

  show(view: StatusView): void {
    const { worker, device, checkpoint, active } = view;
    const works = active > 0 || worker.kind === 'busy' || worker.kind === 'starting';
    const icon = worker.kind === 'failed' ? '$(error) ' : works ? '$(sync~spin) ' : '';
    this.item.text = `${icon}${iconFree(`Espalier: ${[device, checkpoint].filter(Boolean).join(' · ')}`)}`;
    this.item.accessibilityInformation = { label: `Espalier, ${describe(view)}` };
    this.item.tooltip = markdownString(markdownText(describe(view)));
    this.item.backgroundColor =
      worker.kind === 'failed' ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
    this.item.show();
  }

  hide(): void {
    this.item.hide();
  }

  dispose(): void {
    this.item.dispose();
  }
}

const STATES: Record<WorkerState['kind'], string> = {
  stopped: 'worker not started yet',
  starting: 'worker is starting',
  ready: 'worker is ready',
  busy: 'worker is busy',
  failed: 'worker does not run',
};

function describe({ worker, device, checkpoint, active, progress }: StatusView): string {
  return [
    `device ${device}`,
    checkpoint === undefined ? 'no checkpoint named yet' : `checkpoint ${checkpoint}`,
    STATES[worker.kind],
    ...(active > 1 ? [`${active} evaluations`] : []),
    ...(progress === undefined ? [] : [progress]),
  ].join(', ');
}
