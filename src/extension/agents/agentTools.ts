import * as vscode from 'vscode';
import type { AgentContext, AgentTool } from '../../agents/agentTool.ts';
import { callTool } from '../../agents/callTool.ts';
import type { Insertion } from '../../agents/metricInsertion.ts';
import { TOOLS } from '../../agents/tools.ts';
import { EspalierError } from '../../base/errors.ts';
import { plainLine } from '../../base/plainText.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { Ask } from '../../protocol/requests.ts';
import { markdownText } from '../../base/markdown.ts';
import { signalOf } from '../cancellation.ts';
import { markdownString } from '../markdownString.ts';

interface AgentToolsOptions {
  readonly evaluate: Ask<'evaluate'>;
  /** The plan with paths in the place of names on the hub. */
  readonly located: (plan: EvaluationPlan, signal: AbortSignal) => Promise<EvaluationPlan>;
}

/** What the manifest calls a tool. */
export function manifestName({ name }: Pick<AgentTool, 'name'>): string {
  return `espalier_${name}`;
}

/**
 * Offers Espalier's tools to language models in the editor's chat. Each call is shown to the person first, with what it would do, and waits
 * for a yes.
 */
export function registerAgentTools(options: AgentToolsOptions): vscode.Disposable {
  return vscode.Disposable.from(
    ...TOOLS.map((tool) => vscode.lm.registerTool(manifestName(tool), new EditorTool(tool, options))),
  );
}

class EditorTool implements vscode.LanguageModelTool<object> {
  private readonly tool: AgentTool;
  private readonly options: AgentToolsOptions;

  constructor(tool: AgentTool, options: AgentToolsOptions) {
    this.tool = tool;
    this.options = options;
  }

  prepareInvocation({
    input,
  }: vscode.LanguageModelToolInvocationPrepareOptions<object>): vscode.PreparedToolInvocation {
    const { title, asks } = this.tool;
    const what = asks(input);
    return {
      invocationMessage: `Espalier: ${plainLine(what)}`,
      confirmationMessages: {
        title: `Espalier: ${title}`,
        message: markdownString(`Let the language model ${markdownText(what)}?`),
      },
    };
  }

  async invoke(
    { input }: vscode.LanguageModelToolInvocationOptions<object>,
    token: vscode.CancellationToken,
  ): Promise<vscode.LanguageModelToolResult> {
    const signal = signalOf(token);
    const root = workspaceRoot();
    const { text } = root
      ? await callTool(this.tool.name, input, this.context(root, signal))
      : { text: JSON.stringify({ error: noFolder().data }) };
    return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
  }

  /** What computes needs a workspace that is trusted; what a person has agreed to may read the models that their files name. */
  private context(root: string, signal: AbortSignal): AgentContext {
    const { evaluate, located } = this.options;
    return {
      root,
      signal,
      write: insert,
      ...(vscode.workspace.isTrusted && {
        evaluate: async (plan: EvaluationPlan) => evaluate(await located(plan, signal), { signal }),
      }),
    };
  }
}

/** The folder that the active file is in, else the first. */
function workspaceRoot(): string | undefined {
  const active = vscode.window.activeTextEditor?.document.uri;
  const folder = (active && vscode.workspace.getWorkspaceFolder(active)) ?? vscode.workspace.workspaceFolders?.[0];
  return folder?.uri.scheme === 'file' ? folder.uri.fsPath : undefined;
}

/** Into the document, so that it can be undone. What was read is the file: where the document says something else, places have moved. */
async function insert(file: string, insertion: Insertion): Promise<void> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
  if (document.isDirty) throw notEdited('one with changes that are not saved', 'Save it and try again.');
  const edit = new vscode.WorkspaceEdit();
  edit.insert(document.uri, document.positionAt(insertion.at), insertion.text);
  if (!(await vscode.workspace.applyEdit(edit))) throw notEdited('one that it cannot', 'Open it and try again.');
  await vscode.window.showTextDocument(document, { preserveFocus: true, preview: false });
}

function notEdited(actual: string, remedy: string): EspalierError {
  return new EspalierError({
    code: 'io/write',
    operation: 'writing a metric into a file',
    expected: 'a file that the editor can change',
    actual,
    remedy,
  });
}

function noFolder(): EspalierError {
  return new EspalierError({
    code: 'agents/outside',
    operation: 'answering a language model',
    expected: 'a folder that is open in the editor',
    actual: 'none',
    remedy: 'Open a folder.',
  });
}
