import * as vscode from 'vscode';
import type { Application } from './application.ts';

/** A command in a trusted workspace, and what it does in one that is not (where that differs). */
interface Command {
  readonly run: (application: Application, argument: unknown, selection: unknown) => unknown;
  readonly untrusted?: (application: Application) => unknown;
}

const explainTrust = (application: Application): void => {
  application.explainTrust();
};

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
  'espalier.compare': { run: (application, target) => application.compare(target), untrusted: explainTrust },
  'espalier.evolve': { run: (application, target) => application.searches.evolve(target), untrusted: explainTrust },
  'espalier.openRun': { run: (application, run) => application.searches.open(run) },
  'espalier.resumeRun': { run: (application, run) => application.searches.resume(run), untrusted: explainTrust },
  'espalier.pauseRun': { run: (application, run) => application.searches.pause(run) },
  'espalier.compareRuns': { run: (application, run, runs) => application.searches.compare(run, runs) },
  'espalier.exportRunCsv': { run: (application, run) => application.searches.exportAs(run, 'csv') },
  'espalier.exportRunJson': { run: (application, run) => application.searches.exportAs(run, 'json') },
  'espalier.deleteRun': { run: (application, run, runs) => application.searches.delete(run, runs) },
  'espalier.refreshRuns': { run: (application) => application.searches.runLibrary.load() },
  'espalier.refreshCheckpoints': {
    run: (application) => {
      application.checkpoints.reload();
    },
  },
  'espalier.setUpLanguageModel': {
    run: (application) => application.languageModels.setUp(),
    untrusted: explainTrust,
  },
  'espalier.removeLanguageModelKey': { run: (application) => application.languageModels.removeKey() },
  'espalier.exportModel': { run: (application, target) => application.results.export(target), untrusted: explainTrust },
  'espalier.measureSpeed': {
    run: (application, target) => application.speeds.measure(target),
    untrusted: explainTrust,
  },
  'espalier.copyPrunerZero': { run: (application, target) => application.prunerZero.copy(target) },
  'espalier.importPrunerZero': { run: (application) => application.prunerZero.import() },
  'espalier.openSample': { run: (application) => application.openSample() },
  'espalier.showLog': {
    run: (application) => {
      application.showLog();
    },
  },
};

/** Registers all commands at once; what the application is not ready for yet waits for it. */
export function registerCommands(application: Promise<Application>): vscode.Disposable[] {
  return Object.entries(COMMANDS).map(([id, { run, untrusted }]) =>
    vscode.commands.registerCommand(id, async (argument: unknown, selection: unknown) => {
      const ready = await application;
      return vscode.workspace.isTrusted || !untrusted ? run(ready, argument, selection) : untrusted(ready);
    }),
  );
}
