import * as vscode from 'vscode';
import type { Application } from './application.ts';

interface Command {
  readonly run: (application: Application, argument: unknown, selection: unknown) => unknown;
  /** Whether it starts a process, or has one read what files name: in a workspace that is not trusted it says that instead. */
  readonly needsTrust: boolean;
}

/** Every command of the extension; the manifest declares the same names (a test compares them). */
export const COMMANDS: Readonly<Record<string, Command>> = {
  'espalier.evaluate': {
    run: (application, target) => application.evaluation.evaluate(target),
    needsTrust: true,
  },
  'espalier.cancel': {
    run: (application, target) => {
      application.evaluation.cancel(target);
    },
    needsTrust: false,
  },
  'espalier.showTree': { run: (application, target) => application.trees.show(target), needsTrust: false },
  'espalier.selectDevice': { run: (application) => application.atHand.selectDevice(), needsTrust: false },
  'espalier.restartWorker': {
    run: (application) => application.restartWorker(),
    needsTrust: true,
  },
  'espalier.showMenu': { run: (application) => application.atHand.showMenu(), needsTrust: false },
  'espalier.compare': { run: (application, target) => application.compare(target), needsTrust: true },
  'espalier.sensitivity': { run: (application, target) => application.sensitivity(target), needsTrust: true },
  'espalier.evolve': { run: (application, target) => application.searches.evolve(target), needsTrust: true },
  'espalier.openRun': { run: (application, run) => application.searches.open(run), needsTrust: false },
  'espalier.resumeRun': { run: (application, run) => application.searches.resume(run), needsTrust: true },
  'espalier.pauseRun': { run: (application, run) => application.searches.pause(run), needsTrust: false },
  'espalier.compareRuns': {
    run: (application, run, runs) => application.searches.compare(run, runs),
    needsTrust: false,
  },
  'espalier.overlayRun': {
    run: (application, run, runs) => application.searches.overlay(run, runs),
    needsTrust: false,
  },
  'espalier.tagRun': { run: (application, run) => application.searches.tag(run), needsTrust: false },
  'espalier.report': { run: (application, run, all) => application.searches.report(run, all), needsTrust: false },
  'espalier.exportRunCsv': { run: (application, run) => application.searches.exportAs(run, 'csv'), needsTrust: false },
  'espalier.exportRunJson': {
    run: (application, run) => application.searches.exportAs(run, 'json'),
    needsTrust: false,
  },
  'espalier.renameRun': { run: (application, run) => application.searches.rename(run), needsTrust: false },
  'espalier.annotateRun': { run: (application, run) => application.searches.annotate(run), needsTrust: false },
  'espalier.deleteRun': { run: (application, run, runs) => application.searches.delete(run, runs), needsTrust: false },
  'espalier.refreshRuns': { run: (application) => application.searches.runLibrary.load(), needsTrust: false },
  'espalier.refreshCheckpoints': {
    run: (application) => {
      application.checkpoints.reload();
    },
    needsTrust: false,
  },
  'espalier.pruneHubModel': { run: (application, model) => application.hubView.prune(model), needsTrust: false },
  'espalier.revealHubModel': { run: (application, model) => application.hubView.reveal(model), needsTrust: false },
  'espalier.copyHubReference': {
    run: (application, model) => application.hubView.copyReference(model),
    needsTrust: false,
  },
  'espalier.refreshHub': {
    run: (application) => {
      application.hubView.refresh();
    },
    needsTrust: false,
  },
  'espalier.openEvaluation': { run: (application, row) => application.evaluations.open(row), needsTrust: false },
  'espalier.setUpLanguageModel': {
    run: (application) => application.languageModels.setUp(),
    needsTrust: true,
  },
  'espalier.removeLanguageModelKey': {
    run: (application) => application.languageModels.removeKey(),
    needsTrust: false,
  },
  'espalier.showQueue': { run: (application) => application.queue.show(), needsTrust: true },
  'espalier.setQueuePassword': { run: (application) => application.queue.setPassword(), needsTrust: true },
  'espalier.forgetQueuePassword': { run: (application) => application.queue.forgetPassword(), needsTrust: false },
  'espalier.exportModel': { run: (application, target) => application.results.export(target), needsTrust: true },
  'espalier.recover': { run: (application, target) => application.recoveries.recover(target), needsTrust: true },
  'espalier.tryIt': { run: (application, target) => application.tryIt.show(target), needsTrust: true },
  'espalier.measureSpeed': {
    run: (application, target) => application.speeds.measure(target),
    needsTrust: true,
  },
  'espalier.copyPrunerZero': {
    run: (application, target) => application.prunerZero.copy(target),
    needsTrust: false,
  },
  'espalier.importPrunerZero': { run: (application) => application.prunerZero.import(), needsTrust: false },
  'espalier.openSample': { run: (application) => application.openSample(), needsTrust: false },
  'espalier.showLog': {
    run: (application) => {
      application.showLog();
    },
    needsTrust: false,
  },
};

/** Registers all commands at once; what the application is not ready for yet waits for it. */
export function registerCommands(application: Promise<Application>): vscode.Disposable[] {
  return Object.entries(COMMANDS).map(([id, { run, needsTrust }]) =>
    vscode.commands.registerCommand(id, async (argument: unknown, selection: unknown) => {
      const ready = await application;
      if (!needsTrust || vscode.workspace.isTrusted) return run(ready, argument, selection);
      ready.explainTrust();
      return undefined;
    }),
  );
}
