import type { LogOutputChannel } from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import {
  FIRST_DOCUMENTS_NOTIFICATION,
  HUB_NAMES_NOTIFICATION,
  OUTLINE_NOTIFICATION,
  PLAN_REQUEST,
  SEARCH_PLAN_REQUEST,
  TASK_FILES_NOTIFICATION,
  TREE_REQUEST,
} from '../language/server/messages.ts';
import type {
  FirstDocumentsParams,
  HubNamesParams,
  OutlineChange,
  PlanParams,
  PlanResult,
  SearchPlanParams,
  SearchPlanResult,
  TaskFilesParams,
  TreeParams,
  TreeResult,
} from '../language/server/messages.ts';

/** What the server says by itself. */
export interface LanguageListener {
  readonly onOutline: (change: OutlineChange) => void;
  readonly onTaskFiles: (files: TaskFilesParams) => void;
}

/** The language server, a process of its own. Until it has started there are no trees, and plans are refused. */
export class LanguageServer {
  private readonly client: LanguageClient;
  private isReady = false;

  constructor(serverFile: string, output: LogOutputChannel, { onOutline, onTaskFiles }: LanguageListener) {
    this.client = new LanguageClient(
      'espalier.language',
      'Espalier Language Server',
      { module: serverFile, transport: TransportKind.ipc },
      { documentSelector: [{ language: 'prune' }], outputChannel: output },
    );
    this.client.onNotification(OUTLINE_NOTIFICATION, onOutline);
    this.client.onNotification(TASK_FILES_NOTIFICATION, onTaskFiles);
  }

  /** Resolves once it answers. */
  async start(): Promise<void> {
    await this.client.start();
    this.isReady = true;
  }

  /** What completion offers of the hub from now on. Before it has started nothing is told. */
  async tellHubNames(params: HubNamesParams): Promise<void> {
    if (this.isReady) await this.client.sendNotification(HUB_NAMES_NOTIFICATION, params);
  }

  /** The first documents of a file that a task names. */
  async tellFirstDocuments(params: FirstDocumentsParams): Promise<void> {
    if (this.isReady) await this.client.sendNotification(FIRST_DOCUMENTS_NOTIFICATION, params);
  }

  readonly plans = (params: PlanParams): Promise<PlanResult> => this.ask(PLAN_REQUEST, params);
  readonly searchPlan = (params: SearchPlanParams): Promise<SearchPlanResult> => this.ask(SEARCH_PLAN_REQUEST, params);
  readonly tree = async (params: TreeParams): Promise<TreeResult> =>
    this.isReady ? this.ask(TREE_REQUEST, params) : null;

  dispose(): void {
    if (this.isReady) void this.client.dispose().catch(() => undefined);
    this.isReady = false;
  }

  private async ask<Result>(request: string, params: unknown): Promise<Result> {
    if (!this.isReady) throw new Error('the language server is not ready');
    return this.client.sendRequest<Result>(request, params);
  }
}
