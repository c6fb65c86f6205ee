import path from 'node:path';
import * as vscode from 'vscode';
import { toErrorData } from '../base/errors.ts';
import { formatPerplexity, shortFingerprint } from '../experiment/format.ts';
import type { EvaluationResult } from '../experiment/resultSchema.ts';
import { SYSTEM_CLOCK } from './clock.ts';
import { CheckpointsView } from './search/checkpointsView.ts';
import { CodeLenses } from './evaluate/codeLenses.ts';
import { CompareCommand } from './evaluate/compareCommand.ts';
import { chosenDevice, fallbackFor } from './configuration.ts';
import { EvaluateCommand } from './evaluate/evaluateCommand.ts';
import { confirmEvaluation } from './evaluate/confirmEvaluation.ts';
import { Evaluator } from './evaluate/evaluator.ts';
import { InputHashes } from './evaluate/inputHashes.ts';
import type { StampedHashes } from './evaluate/inputHashes.ts';
import { startLanguageClient } from './languageClient.ts';
import type { LanguageConnection } from './languageClient.ts';
import { selectDevice, showMenu } from './menu.ts';
import { LanguageModels } from './llm/languageModels.ts';
import { Outlines } from './outlines.ts';
import { PrunerZeroTrees } from './evaluate/prunerZeroTrees.ts';
import { RecordBooks } from './evaluate/recordBooks.ts';
import { openSample } from './openSample.ts';
import { Searches } from './search/searches.ts';
import { Comparisons } from './results/comparisons.ts';
import { EvaluationsView } from './results/evaluationsView.ts';
import { ModelExport } from './results/exportModel.ts';
import { ResultExport } from './results/exportResult.ts';
import type { SpeedParts } from './results/measureSpeed.ts';
import { ResultSpeed } from './results/resultSpeed.ts';
import { keepResults } from './evaluate/resultKeeper.ts';
import { progressLine } from './evaluate/resultText.ts';
import { sparsityText } from './evaluate/structureText.ts';
import { ResultView } from './evaluate/resultView.ts';
import { StatusBar } from './statusBar.ts';
import type { Supervisor } from './worker/supervisor.ts';
import { superviseWorker } from './worker/superviseWorker.ts';
import { TreePreview } from './tree/treePreview.ts';
import { logLine } from './messages.ts';
import { explainTrust } from './trust.ts';
import { watchRecords } from './evaluate/watchRecords.ts';

const HASHES_KEY = 'espalier.inputHashes';

/** All parts of the extension, wired together. Parts know nothing of each other but what they are given here. */
export class Application {
  readonly evaluation: EvaluateCommand;
  readonly trees: TreePreview;
  readonly searches: Searches;
  readonly comparison: CompareCommand;
  readonly prunerZero: PrunerZeroTrees;
  readonly checkpoints: CheckpointsView;
  readonly evaluations: EvaluationsView;
  readonly languageModels: LanguageModels;
  readonly results: ResultExport;
  readonly speeds: ResultSpeed;
  private readonly context: vscode.ExtensionContext;
  private readonly log: vscode.LogOutputChannel;
  private readonly supervisor: Supervisor;
  private readonly outlines: Outlines;
  private readonly records: RecordBooks;
  private readonly hashes: InputHashes;
  private readonly evaluator: Evaluator;
  private readonly lenses: CodeLenses;
  private readonly comparisons: Comparisons;
  private readonly statusBar = new StatusBar();
  private readonly view: ResultView;
  private readonly owned: { dispose(): unknown }[] = [];
  private language: LanguageConnection | undefined;
  /** Device of the last result. */
  private lastDevice: string | undefined;
  private disposed = false;
  readonly explainTrust = explainTrust;

  constructor(context: vscode.ExtensionContext, log: vscode.LogOutputChannel) {
    this.context = context;
    this.log = log;
    const tell = (message: string): void => {
      log.info(logLine(message));
    };
    const refresh = (): void => {
      this.refresh();
    };
    const lookAgain = (): void => {
      this.lookAgain();
    };
    const newSupervisor = (label: string): Supervisor => superviseWorker(context, label, tell);
    this.supervisor = newSupervisor('worker');
    this.outlines = new Outlines({
      requestPlans: (params) =>
        this.language?.plans(params) ?? Promise.reject(new Error('the language server is not ready')),
      fallbackFor: (uri) => fallbackFor(vscode.Uri.parse(uri)),
      onChange: (uri) => {
        this.lookAgain();
        this.trees.documentChanged(uri);
      },
    });
    this.records = new RecordBooks({
      rootOf: (file) => vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file))?.uri.fsPath,
      now: () => new Date(),
      log: tell,
      onChange: () => {
        lookAgain();
        this.checkpoints.refresh();
        this.evaluations.refresh();
        this.comparisons.refresh();
      },
    });
    this.comparisons = new Comparisons(this.records);
    this.hashes = new InputHashes({
      mayLook: () => vscode.workspace.isTrusted,
      memory: {
        get: () => context.workspaceState.get<StampedHashes>(HASHES_KEY, {}),
        set: (hashes) => void context.workspaceState.update(HASHES_KEY, hashes),
      },
      identify: (models, files) =>
        vscode.workspace.isTrusted
          ? this.supervisor.request('identify', { models, files })
          : Promise.resolve(undefined),
      onChange: refresh,
      log: tell,
    });
    this.evaluator = new Evaluator({
      plansOf: (target) => this.outlines.plans(target),
      planKeyOf: (target) => this.outlines.planKey(target),
      confirm: async ({ name }, plan, listener, signal) =>
        confirmEvaluation(name, await this.supervisor.preflight(plan, listener, signal)),
      evaluate: (plan, listener, signal) => this.supervisor.evaluate(plan, listener, signal),
      keeper: (target, plan) =>
        keepResults(
          {
            hashes: this.hashes,
            records: this.records,
            onResult: (result) => {
              this.noteResult(result);
              this.trees.evaluated({ uri: target.uri, name: result.metric });
            },
            onLost: ({ metric }, error) => {
              this.evaluation.tellLost(metric, toErrorData(error, 'keeping an evaluation'));
            },
          },
          vscode.Uri.parse(target.uri).fsPath,
          plan,
        ),
      onChange: refresh,
    });
    this.evaluation = new EvaluateCommand({
      evaluator: this.evaluator,
      outlines: this.outlines,
      supervisor: this.supervisor,
      log,
    });
    this.evaluations = new EvaluationsView({ records: this.records, outlines: this.outlines, hashes: this.hashes });
    this.lenses = new CodeLenses(this.outlines, this.evaluator);
    this.view = new ResultView({
      outlines: this.outlines,
      records: this.records,
      hashes: this.hashes,
      evaluator: this.evaluator,
      speedOf: (record) => this.speeds.of(record),
    });
    this.trees = new TreePreview({
      extension: context.extensionUri,
      outlines: this.outlines,
      supervisor: this.supervisor,
      treeOf: (target) => this.language?.tree(target) ?? Promise.resolve(null),
      isEvaluating: () => this.evaluator.active.length > 0,
      showLog: () => {
        log.show();
      },
    });
    const tellError = (what: string, error: unknown): void => {
      const data = toErrorData(error, what);
      tell(`${what}: ${data.code}: ${data.operation}: ${data.actual}`);
      if (data.code !== 'cancelled') this.evaluation.tellFailure(what, data);
    };
    this.languageModels = new LanguageModels({
      context,
      blocksOf: async (model) => (await this.supervisor.request('describe', { model })).summary.blocks,
      tell: tellError,
    });
    const modelExport = new ModelExport({
      exportModel: (plan, target, listener, signal) => this.supervisor.exportModel(plan, target, listener, signal),
      evaluate: (plan, listener, signal) => this.supervisor.evaluate(plan, listener, signal),
      tell: tellError,
    });
    this.results = new ResultExport({ outlines: this.outlines, modelExport, tell: tellError });
    const speed: SpeedParts = {
      exportModel: (plan, target, listener, signal) => this.supervisor.exportModel(plan, target, listener, signal),
      measureSpeed: (plan, listener, signal) => this.supervisor.measureSpeed(plan, listener, signal),
      scratch: path.join(context.globalStorageUri.fsPath, 'speed'),
      now: () => SYSTEM_CLOCK.now() / 1000,
    };
    this.speeds = new ResultSpeed({
      outlines: this.outlines,
      speed,
      tell: tellError,
      onChange: refresh,
    });
    this.searches = new Searches({
      languageModels: this.languageModels,
      modelExport,
      speed,
      context,
      outlines: this.outlines,
      supervisor: this.supervisor,
      newWorker: () => newSupervisor('search'),
      searchPlan: (params) =>
        this.language?.searchPlan(params) ?? Promise.reject(new Error('the language server is not ready')),
      rootOf: (document) => this.records.rootOf(document),
      modelLength: async (model) => (await this.supervisor.request('describe', { model })).summary.modelLength,
      evaluate: (target) => this.evaluation.evaluate(target),
      showTree: (formula) => this.trees.showFormula(formula),
      tellFailure: (what, error) => {
        this.evaluation.tellFailure(what, error);
      },
      showLog: () => {
        log.show();
      },
      explainTrust,
      log: tell,
    });
    this.comparison = new CompareCommand({
      outlines: this.outlines,
      evaluator: this.evaluator,
      records: this.records,
      comparisons: this.comparisons,
      evaluate: (target) => this.evaluation.evaluate(target),
    });
    this.prunerZero = new PrunerZeroTrees({
      outlines: this.outlines,
      metricFor: (argument) => this.evaluation.metricFor(argument, 'Copy as Pruner-Zero JSON'),
      treeOf: (target) => this.language?.tree(target) ?? Promise.resolve(null),
      tell: tellError,
    });
    this.checkpoints = new CheckpointsView({
      describe: async (model) =>
        vscode.workspace.isTrusted ? (await this.supervisor.request('describe', { model })).summary : undefined,
      densePerplexities: (folder) => this.records.densePerplexities(folder),
      named: () => {
        const chosen = this.checkpointFolder();
        return chosen === undefined ? [] : [chosen];
      },
    });
    this.owned.push(
      this.statusBar,
      this.view,
      this.trees,
      this.searches,
      this.checkpoints,
      this.evaluations,
      this.comparisons,
      this.supervisor,
    );
  }

  /** Resolves when the language server answers. */
  async start(): Promise<void> {
    const { workspace, window, languages } = vscode;
    const lookAgain = (): void => {
      this.lookAgain();
    };
    const refresh = (): void => {
      this.refresh();
    };
    this.owned.push(
      languages.registerCodeLensProvider({ language: 'prune' }, this.lenses),
      languages.registerCodeActionsProvider({ language: 'prune' }, this.prunerZero),
      window.onDidChangeVisibleTextEditors(lookAgain),
      window.onDidChangeActiveTextEditor(lookAgain),
      window.tabGroups.onDidChangeTabGroups(refresh),
      window.onDidChangeWindowState(({ focused }) => {
        // Files may have been changed by other programs meanwhile.
        if (focused) this.view.look();
      }),
      workspace.onDidCloseTextDocument(({ uri }) => {
        this.outlines.forget(uri.toString());
      }),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('espalier')) lookAgain();
      }),
      workspace.onDidGrantWorkspaceTrust(lookAgain),
      watchRecords((folder) => this.records.reload(folder)),
      this.supervisor.onChange(refresh),
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
    else this.searches.start();
  }

  /** Kills the worker before it returns. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const each of this.owned.splice(0)) each.dispose();
    this.language?.dispose();
  }

  async selectDevice(): Promise<void> {
    await selectDevice(this.supervisor, vscode.workspace.isTrusted);
  }

  async restartWorker(): Promise<void> {
    this.evaluator.cancel();
    await this.supervisor.restart();
  }

  async showMenu(): Promise<void> {
    const active = this.evaluator.active.length;
    const { isTrusted } = vscode.workspace;
    await showMenu(
      { device: this.device(), checkpoint: this.checkpointFolder(), active, trusted: isTrusted },
      this.supervisor,
    );
  }

  /** @param argument the lens's target; from the palette the metric at the cursor is meant */
  async compare(argument: unknown): Promise<void> {
    const target = await this.evaluation.metricFor(argument, 'Compare');
    if (target) await this.comparison.compare(target);
  }

  async openSample(): Promise<void> {
    await openSample(this.context);
  }

  showLog(): void {
    this.log.show();
  }

  private noteResult({ metric, sparsity, perplexity, fingerprint, provenance }: EvaluationResult): void {
    this.lastDevice = provenance.device;
    const number = `perplexity ${formatPerplexity(perplexity)} (${shortFingerprint(fingerprint)})`;
    this.log.info(logLine(`${metric} at ${sparsityText(sparsity)}: ${number} on ${provenance.deviceName}`));
  }

  private lookAgain(): void {
    this.refresh();
    this.view.look();
  }

  /** Draws what is known; asks for nothing. */
  private refresh(): void {
    if (this.disposed) return;
    this.view.refresh();
    this.evaluations.refresh();
    this.lenses.refresh();
    this.trees.lookAgain();
    const { active } = this.evaluator;
    void vscode.commands.executeCommand('setContext', 'espalier.evaluating', active.length > 0);
    const document = vscode.window.activeTextEditor?.document;
    if (document?.languageId !== 'prune' && active.length === 0) {
      this.statusBar.hide();
      return;
    }
    const folder = this.checkpointFolder();
    const declared = document && this.outlines.modelName(document.uri.toString());
    this.statusBar.show({
      worker: this.supervisor.state,
      device: this.device(),
      checkpoint: declared ?? (folder === undefined ? undefined : path.basename(folder)),
      active: active.length,
      progress: active[0] && `${active[0].target.name}: ${progressLine(active[0].activity.progress)}`,
    });
  }

  /** What `auto` turned out to be is said once it is known. */
  private device(): string {
    const chosen = chosenDevice();
    return chosen === 'auto' ? (this.lastDevice ?? 'auto') : chosen;
  }

  /** The checkpoint of the document at hand, absolute. */
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
