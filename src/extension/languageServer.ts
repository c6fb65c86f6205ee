import type { LogOutputChannel } from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import {
  HUB_NAMES_NOTIFICATION,
  OUTLINE_NOTIFICATION,
  PLAN_REQUEST,
  SEARCH_PLAN_REQUEST,
  TREE_REQUEST,
} from '../language/server/messages.ts';
import type {
  HubNamesParams,
  OutlineParams,
  PlanParams,
  PlanResult,
  SearchPlanParams,
  SearchPlanResult,
  TreeParams,
  TreeResult,
} from '../language/server/messages.ts';

/** The language server, a process of its own. Until it has started there are no trees, and plans are refused. */
export class LanguageServer {
  private readonly client: LanguageClient;
  private isReady = false;

  constructor(serverFile: string, output: LogOutputChannel, onOutline: (outline: OutlineParams) => void) {
    this.client = new LanguageClient(
      'espalier.language',
      'Espalier Language Server',
      { module: serverFile, transport: TransportKind.ipc },
      { documentSelector: [{ language: 'prune' }], outputChannel: output },
    );
    this.client.onNotification(OUTLINE_NOTIFICATION, onOutline);
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
