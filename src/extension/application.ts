import path from 'node:path';
import * as vscode from 'vscode';
import { VERSION } from '../base/version.ts';
import { toErrorData } from '../base/errors.ts';
import type { EvaluationPlan } from '../experiment/plan.ts';
import type { EvaluationResult } from '../experiment/result.ts';
import { formatPerplexity, shortFingerprint } from '../experiment/format.ts';
import { progressLine, sparsityText } from './resultText.ts';
import { CodeLenses } from './codeLenses.ts';
import { SYSTEM_CLOCK } from './clock.ts';
import { chooseDevice, chosenDevice, fallbackFor } from './configuration.ts';
import { Evaluator } from './evaluator.ts';
import type { Target } from './evaluator.ts';
import { InputHashes } from './inputHashes.ts';
import type { Input, StampedHashes } from './inputHashes.ts';
import { startLanguageClient } from './languageClient.ts';
import type { LanguageConnection } from './languageClient.ts';
import { selectDevice, showMenu } from './menu.ts';
import { showFailure } from './notifications.ts';
import type { RemedyActions } from './notifications.ts';
import { Outlines } from './outlines.ts';
import { RecordBooks } from './recordBooks.ts';
import { ResultView } from './resultView.ts';
import { StatusBar } from './statusBar.ts';
import { Supervisor } from './supervisor.ts';
import { forkWorker } from './workerProcess.ts';

/** Milliseconds after which an evaluation is worth a notification; shorter ones are told beside the line alone. */
const WORTH_A_NOTIFICATION = 3000;

const HASHES_KEY = 'espalier.inputHashes';

/** All parts of the extension, wired together. Parts know nothing of each other but what they are given here. */
export class Application {
  private readonly context: vscode.ExtensionContext;
  private readonly log: vscode.LogOutputChannel;
  private readonly supervisor: Supervisor;
  private readonly outlines: Outlines;
  private readonly records: RecordBooks;
  private readonly hashes: InputHashes;
  private readonly evaluator: Evaluator;
  private readonly lenses: CodeLenses;
  private readonly statusBar = new StatusBar();
  private readonly view: ResultView;
  private readonly owned: { dispose(): unknown }[] = [];
  private language: LanguageConnection | undefined;
  private lastDevice: string | undefined;
  private lastFailure: string | undefined;
  private disposed = false;

  constructor(context: vscode.ExtensionContext, log: vscode.LogOutputChannel) {
    this.context = context;
    this.log = log;
    const info = (message: string): void => {
      log.info(message);
    };
    this.supervisor = new Supervisor({
      spawn: () =>
        forkWorker({
          file: context.asAbsolutePath('dist/worker.cjs'),
          cacheFolder: path.join(context.globalStorageUri.fsPath, 'hashes'),
          log: (line) => {
            log.info(`[worker] ${line}`);
          },
        }),
      version: VERSION,
      clock: SYSTEM_CLOCK,
      log: info,
    });
    this.outlines = new Outlines({
      requestPlans: (params) =>
        this.language?.plans(params) ?? Promise.reject(new Error('the language server is not ready')),
      fallbackFor: (uri) => fallbackFor(vscode.Uri.parse(uri)),
      onChange: () => {
        this.refresh();
        this.view.look();
      },
    });
    this.records = new RecordBooks({
      rootOf: (file) => vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file))?.uri.fsPath,
      now: () => new Date(),
      log: info,
      onChange: () => {
        this.refresh();
        this.view.look();
      },
    });
    this.hashes = new InputHashes({
      memory: {
        get: () => context.workspaceState.get<StampedHashes>(HASHES_KEY, {}),
        set: (hashes) => void context.workspaceState.update(HASHES_KEY, hashes),
      },
      identify: (models, files) =>
        vscode.workspace.isTrusted
          ? this.supervisor.request('identify', { models, files })
          : Promise.resolve(undefined),
      onChange: () => {
        this.refresh();
      },
      log: info,
    });
    this.evaluator = new Evaluator({
      plansOf: (target) => this.outlines.plans(target),
      planKeyOf: (target) => this.outlines.planKey(target),
      evaluate: (plan, listener, signal) => this.supervisor.evaluate(plan, listener, signal),
      keeper: (target, plan) => this.keeper(target, plan),
      onChange: () => {
        this.refresh();
      },
    });
    this.lenses = new CodeLenses(this.outlines, this.evaluator);
    this.view = new ResultView({
      outlines: this.outlines,
      records: this.records,
      hashes: this.hashes,
      evaluator: this.evaluator,
    });
    this.owned.push(this.statusBar, this.view, this.supervisor);
  }

  /** Resolves when the language server answers. */
  async start(): Promise<void> {
    const { workspace, window, languages } = vscode;
    const refreshAll = (): void => {
      this.refresh();
      this.view.look();
    };
    this.owned.push(
      languages.registerCodeLensProvider({ language: 'prune' }, this.lenses),
      window.onDidChangeVisibleTextEditors(refreshAll),
      window.onDidChangeActiveTextEditor(refreshAll),
      window.onDidChangeWindowState(({ focused }) => {
        // Files may have been changed by other programs meanwhile.
        if (focused) this.view.look();
      }),
      workspace.onDidCloseTextDocument(({ uri }) => {
        this.outlines.forget(uri.toString());
      }),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('espalier')) refreshAll();
      }),
      workspace.onDidGrantWorkspaceTrust(refreshAll),
      this.watchRecords(),
      this.supervisor.onChange(({ kind, ...state }) => {
        if (kind === 'failed' && 'error' in state) this.tellWorkerFailure(state.error.code, state.error);
        if (kind === 'ready') this.lastFailure = undefined;
        this.refresh();
      }),
    );
    this.refresh();
    this.language = await startLanguageClient(
      this.context.asAbsolutePath('dist/languageServer.cjs'),
      this.log,
      (outline) => {
        this.outlines.update(outline);
      },
    );
    if (this.disposed) this.language.dispose();
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const each of this.owned.splice(0)) each.dispose();
    this.language?.dispose();
  }

  async evaluate(argument: unknown): Promise<void> {
    const target = isTarget(argument) ? argument : await this.pickTarget();
    if (!target) return;
    this.log.info(`evaluating ${target.name} of ${target.uri}`);
    const outcome = this.evaluator.evaluate(target);
    const withdraw = SYSTEM_CLOCK.after(WORTH_A_NOTIFICATION, () => {
      this.notifyProgress(target, outcome);
    });
    const ended = await outcome;
    withdraw();
    if (ended.kind === 'cancelled')
      vscode.window.setStatusBarMessage(`Espalier: evaluation of ${target.name} cancelled`, 5000);
    if (ended.kind !== 'failed') return;
    this.log.error(`evaluating ${target.name}: ${ended.error.code}: ${ended.error.actual}`);
    // A worker that gives up is told about once, not once for every evaluation that waited for it.
    if (ended.error.code === this.lastFailure) return;
    showFailure(`Evaluating ${target.name} failed`, ended.error, this.remedies(target));
  }

  cancel(argument: unknown): void {
    this.evaluator.cancel(isTarget(argument) ? argument : undefined);
  }

  async selectDevice(): Promise<void> {
    await selectDevice(this.supervisor, vscode.workspace.isTrusted);
  }

  async restartWorker(): Promise<void> {
    this.evaluator.cancel();
    await this.supervisor.restart();
  }

  async showMenu(): Promise<void> {
    const checkpoint = this.checkpointFolder();
    const view = {
      device: this.device(),
      checkpoint,
      active: this.evaluator.active.length,
      trusted: vscode.workspace.isTrusted,
    };
    await showMenu(view, this.supervisor);
  }

  showLog(): void {
    this.log.show();
  }

  explainTrust(): void {
    void vscode.window
      .showWarningMessage(
        'Evaluating reads checkpoints and runs a worker process, which Espalier does only in a workspace that you trust. Editing, checks and hover work without.',
        'Manage Trust',
      )
      .then((chosen) => chosen && vscode.commands.executeCommand('workbench.trust.manage'));
  }

  /** Keeps the results of a plan; the looks of its inputs are taken before it runs. */
  private async keeper(target: Target, plan: EvaluationPlan): Promise<(result: EvaluationResult) => void> {
    const document = vscode.Uri.parse(target.uri).fsPath;
    const inputs = { model: { kind: 'model', path: plan.model }, text: { kind: 'file', path: plan.text } } as const;
    const calibration: Input | undefined =
      plan.calibration === undefined ? undefined : { kind: 'file', path: plan.calibration };
    const stamps = {
      model: await this.hashes.stamp(inputs.model),
      text: await this.hashes.stamp(inputs.text),
      calibration: calibration && (await this.hashes.stamp(calibration)),
    };
    return (result) => {
      const { modelHash, textHash, calibrationHash, device } = result.provenance;
      this.lastDevice = device;
      const { metric, sparsity, perplexity, fingerprint } = result;
      this.log.info(
        `${metric} at ${sparsityText(sparsity)}: perplexity ${formatPerplexity(perplexity)} (${shortFingerprint(fingerprint)})`,
      );
      const learn = async (): Promise<void> => {
        await this.hashes.learn(inputs.model, stamps.model, modelHash);
        await this.hashes.learn(inputs.text, stamps.text, textHash);
        if (calibration && stamps.calibration !== undefined && calibrationHash !== undefined) {
          await this.hashes.learn(calibration, stamps.calibration, calibrationHash);
        }
        await this.records.add(document, plan, result);
      };
      learn().catch((error: unknown) => {
        const data = toErrorData(error, 'keeping an evaluation');
        this.log.error(data.actual);
        showFailure(`The result of ${metric} could not be kept`, data, this.remedies(target));
      });
    };
  }

  private notifyProgress(target: Target, outcome: Promise<unknown>): void {
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: `Evaluating ${target.name}`,
      cancellable: true,
    };
    void vscode.window.withProgress(options, async (progress, token) => {
      token.onCancellationRequested(() => {
        this.evaluator.cancel(target);
      });
      let shown = 0;
      const tell = (): void => {
        const activity = this.evaluator.activityOf(target);
        if (!activity) return;
        const { done = 0, total = 0 } = activity.progress ?? {};
        const share = total > 0 ? (100 * done) / total : 0;
        const message =
          activity.state === 'waiting' ? 'waiting for the evaluation before it' : progressLine(activity.progress);
        progress.report({ message, increment: Math.max(0, share - shown) });
        shown = Math.max(shown, share);
      };
      tell();
      const ticking = setInterval(tell, 250);
      await outcome;
      clearInterval(ticking);
    });
  }

  private remedies(target: Target): RemedyActions {
    const again = (): unknown => this.evaluate(target);
    return {
      'Evaluate Again': again,
      Retry: async () => {
        await this.supervisor.restart();
        await again();
      },
      'Use CPU': async () => {
        await chooseDevice('cpu');
        if (this.supervisor.state.kind === 'failed') await this.supervisor.restart();
        await again();
      },
      'Show Log': () => {
        this.showLog();
      },
      'Show Problems': () => vscode.commands.executeCommand('workbench.actions.view.problems'),
      'Manage Trust': () => vscode.commands.executeCommand('workbench.trust.manage'),
      'Open Settings': () => vscode.commands.executeCommand('workbench.action.openSettings', '@ext:espalier.espalier'),
    };
  }

  private tellWorkerFailure(code: string, error: Parameters<typeof showFailure>[1]): void {
    if (this.lastFailure === code) return;
    this.lastFailure = code;
    const target = this.evaluator.active[0]?.target;
    const retry = async (): Promise<void> => {
      await this.supervisor.restart();
      if (target) await this.evaluate(target);
    };
    const actions = this.remedies(target ?? { uri: '', name: '' });
    showFailure('The Espalier worker does not run', error, {
      ...actions,
      Retry: retry,
      'Use CPU': async () => {
        await chooseDevice('cpu');
        await retry();
      },
    });
  }

  private async pickTarget(): Promise<Target | undefined> {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.languageId !== 'prune') return undefined;
    const uri = editor.document.uri.toString();
    const line = editor.selection.active.line;
    const targets = this.outlines.evaluable(uri).filter(({ evaluable }) => evaluable);
    const here = targets.find(({ range }) => range.start.line <= line && line <= range.end.line);
    if (here) return { uri, name: here.name };
    const chosen = await vscode.window.showQuickPick(
      targets.map(({ name, kind }) => ({ label: name, description: kind })),
      {
        title: 'Espalier: Evaluate',
        placeHolder: targets.length === 0 ? 'This file has nothing that can be evaluated' : 'Metric or experiment',
      },
    );
    return chosen && { uri, name: chosen.label };
  }

  private watchRecords(): vscode.Disposable {
    const watcher = vscode.workspace.createFileSystemWatcher('**/.espalier/evaluations/*.json');
    let withdraw: (() => void) | undefined;
    const reload = (): void => {
      withdraw?.();
      withdraw = SYSTEM_CLOCK.after(300, () => {
        for (const folder of vscode.workspace.workspaceFolders ?? []) void this.records.reload(folder.uri.fsPath);
      });
    };
    watcher.onDidCreate(reload);
    watcher.onDidChange(reload);
    watcher.onDidDelete(reload);
    return watcher;
  }

  private refresh(): void {
    if (this.disposed) return;
    this.view.refresh();
    this.lenses.refresh();
    const { active } = this.evaluator;
    void vscode.commands.executeCommand('setContext', 'espalier.evaluating', active.length > 0);
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.languageId !== 'prune' && active.length === 0) {
      this.statusBar.hide();
      return;
    }
    const uri = editor?.document.uri.toString() ?? '';
    const folder = this.checkpointFolder();
    this.statusBar.show({
      worker: this.supervisor.state,
      device: this.device(),
      checkpoint: this.outlines.modelName(uri) ?? (folder === undefined ? undefined : path.basename(folder)),
      active: active.length,
      progress: active[0] && `${active[0].target.name}: ${progressLine(active[0].activity.progress)}`,
    });
  }

  /** What `auto` turned out to be is said once it is known. */
  private device(): string {
    const chosen = chosenDevice();
    return chosen === 'auto' ? (this.lastDevice ?? 'auto') : chosen;
  }

  private checkpointFolder(): string | undefined {
    const document = vscode.window.activeTextEditor?.document;
    if (document?.languageId !== 'prune') return undefined;
    const uri = document.uri.toString();
    for (const { name } of this.outlines.evaluable(uri)) {
      const plans = this.outlines.knownPlans({ uri, name });
      if (typeof plans !== 'string' && plans[0]) return plans[0].model;
    }
    return fallbackFor(document.uri).model;
  }
}

function isTarget(argument: unknown): argument is Target {
  const { uri, name } = (argument ?? {}) as Partial<Record<keyof Target, unknown>>;
  return typeof uri === 'string' && typeof name === 'string';
}
