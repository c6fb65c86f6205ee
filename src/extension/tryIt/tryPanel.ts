import * as vscode from 'vscode';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import { plainLine } from '../../base/plainText.ts';
import { fromTrySchema } from '../../view/tryMessages.ts';
import type { FromTry, ToTry } from '../../view/tryMessages.ts';
import { WebviewChannel } from '../webviewChannel.ts';
import { webviewHtml, webviewRoots } from '../webviewHtml.ts';
import type { Supervisor } from '../worker/supervisor.ts';
import { TrySession } from './trySession.ts';
import type { TrySubject } from './trySession.ts';

export interface TryPanelParts {
  readonly extension: vscode.Uri;
  /** A worker of its own: models stay open in it, and evaluations do not wait for answers. */
  readonly newWorker: () => Supervisor;
  readonly showLog: () => void;
  /** Another result is to be asked. */
  readonly onChoose: () => void;
}

const VIEW_TYPE = 'espalier.tryIt';

/** The window's *Try it*: one panel, whose worker holds the models for as long as it is open. What it does is decided in {@link TrySession}. */
export class TryPanel implements vscode.Disposable {
  private readonly parts: TryPanelParts;
  private open:
    { readonly panel: vscode.WebviewPanel; readonly session: TrySession; readonly worker: Supervisor } | undefined;

  constructor(parts: TryPanelParts) {
    this.parts = parts;
  }

  /** What answers now; undefined while no panel is open. */
  get shown(): TrySubject | undefined {
    return this.open?.session.shown;
  }

  /** Shows the panel, with another model to ask. @param again whether it is asked the last prompt at once */
  show(subject: TrySubject, again: boolean): void {
    const open = (this.open ??= this.create(subject));
    open.session.show(subject);
    open.panel.title = titleOf(subject);
    open.panel.reveal();
    const { last } = open.session;
    if (again && last) void open.session.ask(last);
  }

  dispose(): void {
    this.open?.worker.dispose();
    this.open?.panel.dispose();
  }

  private create(subject: TrySubject): NonNullable<TryPanel['open']> {
    const { extension, newWorker, showLog, onChoose } = this.parts;
    const worker = newWorker();
    const place = { viewColumn: vscode.ViewColumn.Active, preserveFocus: false };
    const panel = vscode.window.createWebviewPanel(VIEW_TYPE, titleOf(subject), place, {
      enableScripts: true,
      enableFindWidget: true,
      localResourceRoots: webviewRoots(extension),
    });
    const channel = new WebviewChannel<ToTry, FromTry>(panel.webview, fromTrySchema, (message) => {
      session.receive(message);
      if (message.kind === 'choose') onChoose();
      if (message.kind === 'showLog') showLog();
    });
    const session: TrySession = new TrySession(
      {
        open: worker.asking('openServed'),
        close: worker.asking('closeServed'),
        generate: worker.asking('generate'),
        post: (message) => {
          channel.post(message);
        },
        clock: SYSTEM_CLOCK,
      },
      subject,
    );
    worker.onChange(({ kind }) => {
      if (kind !== 'ready' && kind !== 'busy') session.workerEnded();
    });
    const open = { panel, session, worker };
    panel.iconPath = vscode.Uri.joinPath(extension, 'media', 'icon.png');
    panel.onDidDispose(() => {
      channel.dispose();
      if (this.open === open) this.open = undefined;
      // In that order: a worker that is idle takes what it wrote off the disk before it goes.
      void session.dispose().then(() => worker.stop());
    });
    panel.webview.html = webviewHtml(panel.webview, extension, 'tryIt', 'Try it');
    return open;
  }
}

function titleOf({ model, pruned }: TrySubject): string {
  return `Try it: ${plainLine(pruned?.label ?? model)}`;
}
