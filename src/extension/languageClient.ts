import type { LogOutputChannel } from 'vscode';
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';
import { OUTLINE_NOTIFICATION, PLAN_REQUEST, SEARCH_PLAN_REQUEST, TREE_REQUEST } from '../language/server/messages.ts';
import type {
  OutlineParams,
  PlanParams,
  PlanResult,
  SearchPlanParams,
  SearchPlanResult,
  TreeParams,
  TreeResult,
} from '../language/server/messages.ts';

export interface LanguageConnection {
  plans(params: PlanParams): Promise<PlanResult>;
  searchPlan(params: SearchPlanParams): Promise<SearchPlanResult>;
  tree(params: TreeParams): Promise<TreeResult>;
  dispose(): void;
}

/** Starts the language server, a process of its own. Resolves once it answers. */
export async function startLanguageClient(
  serverFile: string,
  output: LogOutputChannel,
  onOutline: (outline: OutlineParams) => void,
): Promise<LanguageConnection> {
  const client = new LanguageClient(
    'espalier.language',
    'Espalier Language Server',
    { module: serverFile, transport: TransportKind.ipc },
    { documentSelector: [{ language: 'prune' }], outputChannel: output },
  );
  client.onNotification(OUTLINE_NOTIFICATION, onOutline);
  await client.start();
  return {
    plans: (params) => client.sendRequest<PlanResult>(PLAN_REQUEST, params),
    searchPlan: (params) => client.sendRequest<SearchPlanResult>(SEARCH_PLAN_REQUEST, params),
    tree: (params) => client.sendRequest<TreeResult>(TREE_REQUEST, params),
    dispose: () => void client.dispose().catch(() => undefined),
  };
}
