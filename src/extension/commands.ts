import * as vscode from 'vscode';
import type { Application } from './application.ts';

/** A command in a trusted workspace, and what it does in one that is not (where that differs). */
interface Command {
  readonly run: (application: Application, argument: unknown) => unknown;
  readonly untrusted?: (application: Application) => unknown;
}

/** Every command of the extension; the manifest declares the same names (a test compares them). */
export const COMMANDS: Readonly<Record<string, Command>> = {
  'espalier.evaluate': {
    run: (application, target) => application.evaluation.evaluate(target),
    untrusted: (application) => {
      application.explainTrust();
    },
  },
  'espalier.cancel': {
    run: (application, target) => {
      application.evaluation.cancel(target);
    },
  },
  'espalier.showTree': { run: (application, target) => application.trees.show(target) },
  'espalier.selectDevice': { run: (application) => application.selectDevice() },
  'espalier.restartWorker': {
    run: (application) => application.restartWorker(),
    untrusted: (application) => {
      application.explainTrust();
    },
  },
  'espalier.showMenu': { run: (application) => application.showMenu() },
  'espalier.showLog': {
    run: (application) => {
      application.showLog();
    },
  },
};

/** Registers all commands at once; what the application is not ready for yet waits for it. */
export function registerCommands(application: Promise<Application>): vscode.Disposable[] {
  return Object.entries(COMMANDS).map(([id, { run, untrusted }]) =>
    vscode.commands.registerCommand(id, async (argument: unknown) => {
      const ready = await application;
      return vscode.workspace.isTrusted || !untrusted ? run(ready, argument) : untrusted(ready);
    }),
  );
}
