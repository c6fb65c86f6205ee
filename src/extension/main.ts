import * as vscode from 'vscode';
import type { Application } from './application.ts';
import { registerCommands } from './commands.ts';
import { tellError } from './messages.ts';

let application: Promise<Application> | undefined;

/**
 * Registers what must be there at once and returns; everything else is loaded right after, so that the editor does not wait.
 * There is one place where a failure to start becomes visible: `tellFailure`.
 */
export function activate(context: vscode.ExtensionContext): void {
  const began = performance.now();
  const log = vscode.window.createOutputChannel('Espalier', { log: true });
  context.subscriptions.push(log);
  const started = new Promise<void>((resolve) => setImmediate(resolve)).then(async () => {
    const { Application } = await import('./application.ts');
    const ready = new Application(context, log);
    context.subscriptions.push(ready);
    await ready.start();
    log.info(`ready ${(performance.now() - began).toFixed(0)} ms after activation began`);
    return ready;
  });
  application = started;
  context.subscriptions.push(...registerCommands(started));
  started.catch((error: unknown) => {
    tellFailure(log, error);
  });
  log.info(`activated in ${(performance.now() - began).toFixed(1)} ms`);
}

/** The worker is gone when the window is. */
export async function deactivate(): Promise<void> {
  const ready = await application?.catch(() => undefined);
  ready?.dispose();
}

function tellFailure(log: vscode.LogOutputChannel, error: unknown): void {
  log.error(error instanceof Error ? error : String(error));
  const reason = error instanceof Error ? error.message : String(error);
  void tellError(`Espalier could not start: ${reason}`, 'Show Log', 'Reload Window').then((chosen) => {
    if (chosen === 'Show Log') log.show();
    if (chosen === 'Reload Window') void vscode.commands.executeCommand('workbench.action.reloadWindow');
  });
}
