import path from 'node:path';
import * as vscode from 'vscode';
import { toErrorData } from '../base/errors.ts';
import type { EvaluationPlan } from '../experiment/planSchema.ts';
import type { ReadersReport } from '../experiment/readersSchema.ts';
import type { RequestHooks } from '../protocol/requests.ts';
import type { CheckpointSummary } from '../experiment/resultSchema.ts';
import { SYSTEM_CLOCK } from '../base/clock.ts';
import { registerAgentTools } from './agents/agentTools.ts';
import { AtHand } from './atHand.ts';
import { CheckpointsView } from './search/checkpointsView.ts';
import { CodeLenses } from './evaluate/codeLenses.ts';
import { CompareCommand } from './evaluate/compareCommand.ts';
import { fallbackFor } from './configuration.ts';
import { EvaluateCommand } from './evaluate/evaluateCommand.ts';
import { confirmEvaluation } from './evaluate/confirmEvaluation.ts';
import { Evaluator } from './evaluate/evaluator.ts';
import type { Target } from './evaluate/evaluator.ts';
import { InputHashes } from './evaluate/inputHashes.ts';
import type { StampedHashes } from './evaluate/inputHashes.ts';
import { HubAccess } from './hub/hubAccess.ts';
import { HubView } from './hub/hubView.ts';
import { cachedNames } from '../hub/cachedNames.ts';
import { hubCacheFolder } from '../files/hubFolder.ts';
import { LanguageServer } from './languageServer.ts';
import { LanguageModels } from './llm/languageModels.ts';
import { MachineQueue } from './queue/machineQueue.ts';
import { Outlines } from './outlines.ts';
import { PrunerZeroTrees } from './evaluate/prunerZeroTrees.ts';
import { RecordBooks } from './evaluate/recordBooks.ts';
import { openSample } from './openSample.ts';
import { Searches } from './search/searches.ts';
import { searchWorker } from './search/searchRunner.ts';
import { Comparisons } from './results/comparisons.ts';
import { EvaluationsView } from './results/evaluationsView.ts';
import { ModelExport } from './results/exportModel.ts';
import { ResultExport } from './results/exportResult.ts';
import type { SpeedParts } from './results/measureSpeed.ts';
import { ResultRecovery } from './results/recoverResult.ts';
import { ResultSpeed } from './results/resultSpeed.ts';
import { showSensitivity } from './results/sensitivityCommand.ts';
import type { SensitivityParts } from './results/sensitivityCommand.ts';
import { keepResults } from './evaluate/resultKeeper.ts';
import { ResultView } from './evaluate/resultView.ts';
import type { Supervisor } from './worker/supervisor.ts';
import { superviseWorker } from './worker/superviseWorker.ts';
import { TreePreview } from './tree/treePreview.ts';
import { TryIt } from './tryIt/tryIt.ts';
import { logLine } from './messages.ts';
import { explainTrust } from './trust.ts';
import { TaskFiles } from './taskFiles.ts';
import { watchFile } from './watchFile.ts';
import { watchRecords } from './evaluate/watchRecords.ts';

const HASHES_KEY = 'espalier.inputHashes';

/** All parts of the extension, wired together. Parts know nothing of each other but what they are given here. */
export class Application {
  readonly atHand: AtHand;
  readonly evaluation: EvaluateCommand;
  readonly trees: TreePreview;
  readonly searches: Searches;
  readonly comparison: CompareCommand;
  readonly prunerZero: PrunerZeroTrees;
  readonly checkpoints: CheckpointsView;
  readonly hubView: HubView;
  readonly evaluations: EvaluationsView;
  readonly languageModels: LanguageModels;
  readonly queue: MachineQueue;
  readonly results: ResultExport;
  readonly speeds: ResultSpeed;
  readonly recoveries: ResultRecovery;
  readonly tryIt: TryIt;
  private readonly context: vscode.ExtensionContext;
  private readonly log: vscode.LogOutputChannel;
  private readonly supervisor: Supervisor;
  private readonly language: LanguageServer;
  private readonly taskFiles: TaskFiles;
  private readonly sensitivityParts: SensitivityParts;
  private readonly outlines: Outlines;
  private readonly records: RecordBooks;
  private readonly hashes: InputHashes;
  private readonly evaluator: Evaluator;
  private readonly lenses: CodeLenses;
  private readonly comparisons: Comparisons;
  private readonly view: ResultView;
  private readonly owned: { dispose(): unknown }[] = [];
  private disposed = false;
  readonly explainTrust = explainTrust;

  constructor(context: vscode.ExtensionContext, log: vscode.LogOutputChannel) {
    this.context = context;
    this.log = log;
    const tell = (message: string): void => {
      log.info(logLine(message));
    };
    const { refresh, lookAgain } = this;
    const newSupervisor = (label: string): Supervisor => superviseWorker(context, label, tell);
    const supervisor = newSupervisor('worker');
    this.supervisor = supervisor;
    const evaluate = supervisor.asking('evaluate');
    const hub = new HubAccess(() => {
      this.outlines.forgetPlans();
      this.hubView.refresh();
    });
    const askExport = supervisor.asking('exportModel');
    const exportModel: typeof askExport = async (params, hooks) =>
      askExport({ ...params, plan: await hub.located(params.plan, hooks?.signal) }, hooks);
    const readers = async (plan: EvaluationPlan): Promise<ReadersReport> =>
      supervisor.request('readers', { plan: await hub.located(plan) });
    const askSpeed = supervisor.asking('measureSpeed');
    const measureSpeed: typeof askSpeed = async (params, hooks) => {
      const located = params.models.map((model) => hub.located({ model }, hooks?.signal));
      return askSpeed({ ...params, models: (await Promise.all(located)).map(({ model }) => model) }, hooks);
    };
    const askCosts = supervisor.asking('costs');
    const costs: typeof askCosts = async (params, hooks) =>
      askCosts({ ...params, model: (await hub.located({ model: params.model }, hooks?.signal)).model }, hooks);
    const describe = async (model: string): Promise<CheckpointSummary> =>
      supervisor.request('describe', { model: await hub.modelHere(model) });
    this.taskFiles = new TaskFiles({
      read: async (file) => (vscode.workspace.isTrusted ? supervisor.request('firstDocuments', { file }) : undefined),
      tell: (params) => void this.language.tellFirstDocuments(params),
      watch: watchFile,
    });
    this.language = new LanguageServer(context.asAbsolutePath('dist/languageServer.cjs'), log, {
      onOutline: (change) => {
        this.outlines.update(change);
      },
      onTaskFiles: (files) => {
        this.taskFiles.update(files);
      },
    });
    const { tree: treeOf } = this.language;
    const requestPlans: LanguageServer['plans'] = async (params) => {
      const reply = await this.language.plans(params);
      return 'error' in reply ? reply : { plans: await Promise.all(reply.plans.map(hub.cached)) };
    };
    const searchPlan: LanguageServer['searchPlan'] = async (params) => {
      const reply = await this.language.searchPlan(params);
      return 'error' in reply ? reply : { ...reply, plan: await hub.located(reply.plan) };
    };
    const tellError = (what: string, error: unknown): void => {
      const data = toErrorData(error, what);
      tell(`${what}: ${data.code}: ${data.operation}: ${data.actual}`);
      if (data.code !== 'cancelled') this.evaluation.tellFailure(what, data);
    };
    this.outlines = new Outlines({
      requestPlans,
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
      identify: async (asked) => (vscode.workspace.isTrusted ? supervisor.request('identify', asked) : undefined),
      onChange: refresh,
      log: tell,
    });
    const plansOf = async (target: Target, signal: AbortSignal): Promise<EvaluationPlan[]> => {
      const plans: EvaluationPlan[] = [];
      for (const plan of await this.outlines.plans(target)) plans.push(await hub.located(plan, signal));
      return plans;
    };
    const confirm = async ({ name }: Target, plan: EvaluationPlan, hooks: RequestHooks): Promise<boolean> =>
      confirmEvaluation(name, await supervisor.request('preflight', plan, hooks));
    this.sensitivityParts = { plansOf, describe, confirm, evaluate };
    this.evaluator = new Evaluator({
      plansOf,
      planKeyOf: (target) => this.outlines.planKey(target),
      confirm,
      evaluate,
      keeper: (target, plan) =>
        keepResults(
          {
            hashes: this.hashes,
            records: this.records,
            onResult: (result) => {
              this.atHand.noteResult(result);
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
    this.atHand = new AtHand({
      outlines: this.outlines,
      evaluator: this.evaluator,
      supervisor,
      modelHere: hub.modelHere,
      queue: () => this.queue.shown,
      log: tell,
    });
    this.evaluation = new EvaluateCommand({
      evaluator: this.evaluator,
      outlines: this.outlines,
      supervisor,
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
      supervisor,
      treeOf,
      isEvaluating: () => this.evaluator.active.length > 0,
      showLog: () => {
        log.show();
      },
      tell: tellError,
    });
    this.languageModels = new LanguageModels({
      context,
      blocksOf: async (model) => (await describe(model)).blocks,
      tell: tellError,
    });
    this.queue = new MachineQueue({
      context,
      tell: tellError,
      log: tell,
      onChange: (shown) => {
        this.searches.queueChanged(shown);
      },
    });
    const modelExport = new ModelExport({ exportModel, readers, evaluate, tell: tellError });
    this.results = new ResultExport({ outlines: this.outlines, modelExport, tell: tellError });
    const speed: SpeedParts = {
      exportModel,
      measureSpeed,
      costs,
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
      queue: this.queue,
      modelExport,
      speed,
      context,
      outlines: this.outlines,
      supervisor,
      newWorker: () => searchWorker(newSupervisor('search')),
      searchPlan,
      rootOf: (document) => this.records.rootOf(document),
      modelLength: async (model) => (await describe(model)).modelLength,
      evaluate: (target) => this.evaluation.evaluate(target),
      showTree: (formula) => this.trees.showFormula(formula),
      tell: tellError,
      showLog: () => {
        log.show();
      },
      explainTrust,
      log: tell,
    });
    this.recoveries = new ResultRecovery({
      outlines: this.outlines,
      begin: async (plan, document) => this.searches.begin(await hub.located(plan), document),
      tell: tellError,
    });
    this.tryIt = new TryIt({
      extension: context.extensionUri,
      newWorker: () => newSupervisor('try it'),
      outlines: this.outlines,
      located: hub.located,
      showLog: () => {
        log.show();
      },
      tell: tellError,
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
      treeOf,
      tell: tellError,
    });
    this.checkpoints = new CheckpointsView({
      describe: async (model) => (vscode.workspace.isTrusted ? describe(model) : undefined),
      densePerplexities: (folder) => this.records.densePerplexities(folder),
      named: () => {
        const chosen = this.atHand.checkpoint();
        return chosen === undefined ? [] : [chosen];
      },
    });
    this.hubView = new HubView(this.tellHubNames);
    this.owned.push(
      registerAgentTools({ evaluate, located: hub.located }),
      this.queue,
      this.hubView,
      this.taskFiles,
      this.language,
      this.atHand,
      this.view,
      this.trees,
      this.tryIt,
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
    const { refresh, lookAgain } = this;
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
      workspace.onDidGrantWorkspaceTrust(() => {
        lookAgain();
        this.taskFiles.lookAgain();
      }),
      watchRecords((folder) => this.records.reload(folder)),
      this.supervisor.onChange(refresh),
    );
    this.refresh();
    await this.language.start();
    if (this.disposed) this.language.dispose();
    else {
      this.searches.start();
      this.tellHubNames();
    }
  }

  /** Kills the worker before it returns. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const each of this.owned.splice(0)) each.dispose();
  }

  async restartWorker(): Promise<void> {
    this.evaluator.cancel();
    await this.supervisor.restart();
  }

  /** @param argument the lens's target; from the palette the metric at the cursor is meant */
  async compare(argument: unknown): Promise<void> {
    const target = await this.evaluation.metricFor(argument, 'Compare');
    if (target) await this.comparison.compare(target);
  }

  async sensitivity(argument: unknown): Promise<void> {
    const target = await this.evaluation.metricFor(argument, 'Sensitivity');
    if (target) await showSensitivity(target, this.sensitivityParts);
  }

  async openSample(): Promise<void> {
    await openSample(this.context);
  }

  showLog(): void {
    this.log.show();
  }

  /** Completion offers what the cache of the hub holds. */
  private readonly tellHubNames = (): void => {
    void cachedNames(hubCacheFolder())
      .then((names) => this.language.tellHubNames({ names }))
      .catch((error: unknown) => {
        const { code, actual } = toErrorData(error, 'looking at the cache of the hub');
        this.log.info(logLine(`completion of names on the hub: ${code}: ${actual}`));
      });
  };

  private readonly lookAgain = (): void => {
    this.refresh();
    this.view.look();
  };

  /** Draws what is known; asks for nothing. */
  private readonly refresh = (): void => {
    if (this.disposed) return;
    this.view.refresh();
    this.evaluations.refresh();
    this.lenses.refresh();
    this.trees.lookAgain();
    this.atHand.refresh();
  };
}
