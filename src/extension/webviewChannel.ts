import type * as vscode from 'vscode';
import type * as z from 'zod';

/**
 * The one way in which a view and the extension talk. A page is a process of its own that shows what others wrote: what comes from there is
 * looked at, to its last field and length, before anything is done, and what is nothing that a page of ours says is passed over.
 */
export class WebviewChannel<Sent, Received> implements vscode.Disposable {
  private readonly webview: Pick<vscode.Webview, 'postMessage' | 'onDidReceiveMessage'>;
  private readonly listening: vscode.Disposable;

  constructor(
    webview: Pick<vscode.Webview, 'postMessage' | 'onDidReceiveMessage'>,
    schema: z.ZodType<Received>,
    receive: (message: Received) => void,
  ) {
    this.webview = webview;
    this.listening = webview.onDidReceiveMessage((message: unknown) => {
      const parsed = schema.safeParse(message);
      if (parsed.success) receive(parsed.data);
    });
  }

  post(message: Sent): void {
    void this.webview.postMessage(message);
  }

  dispose(): void {
    this.listening.dispose();
  }
}
