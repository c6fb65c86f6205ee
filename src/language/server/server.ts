import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ErrorCodes, ResponseError, TextDocuments, TextDocumentSyncKind } from 'vscode-languageserver';
import type { Connection, TextDocumentIdentifier, TextDocumentPositionParams } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { EspalierError, toErrorData } from '../../base/errors.ts';
import { compile } from '../check/compile.ts';
import type { CompiledDocument, TaskDeclaration } from '../check/document.ts';
import type { CachedName } from '../../experiment/cachedName.ts';
import {
  FIRST_DOCUMENTS_NOTIFICATION,
  HUB_NAMES_NOTIFICATION,
  OUTLINE_NOTIFICATION,
  PLAN_REQUEST,
  SEARCH_PLAN_REQUEST,
  TASK_FILES_NOTIFICATION,
  TREE_REQUEST,
} from './messages.ts';
import type {
  FirstDocumentsParams,
  HubNamesParams,
  OutlineParams,
  PlanParams,
  PlanResult,
  SearchPlanParams,
  SearchPlanResult,
  TaskFilesParams,
  TreeParams,
  TreeResult,
} from './messages.ts';
import { plansFor } from '../plan/plan.ts';
import { searchPlanFrom, searchPlansFor } from '../plan/searchPlan.ts';
import { complete, COMPLETION_TRIGGERS } from './completion.ts';
import { declaredTaskFiles, documentFindings, fieldNames, taskFile } from './firstDocuments.ts';
import type { FirstDocuments } from './firstDocuments.ts';
import { FORMAT_TRIGGERS, formatDocument, formatOnType, formatRange } from './formatting.ts';
import { definition, highlights, hover, references, renamable, rename } from './navigation.ts';
import { outline } from './outline.ts';
import { outlineChange } from './outlineChange.ts';
import { codeActions, lspDiagnostics } from './problems.ts';
import { SEMANTIC_LEGEND, semanticTokens } from './semanticTokens.ts';
import { signatureHelp } from './signature.ts';
import { documentSymbols, foldingRanges } from './symbols.ts';
import { metricTree } from './tree.ts';

/** Answers an editor's questions about its open `.prune` files, until the connection ends. */
export function startServer(connection: Connection): void {
  const files = new OpenFiles(connection);

  connection.onInitialize(() => ({
    serverInfo: { name: 'espalier' },
    capabilities: {
      textDocumentSync: TextDocumentSyncKind.Incremental,
      completionProvider: { triggerCharacters: COMPLETION_TRIGGERS },
      hoverProvider: true,
      definitionProvider: true,
      referencesProvider: true,
      documentHighlightProvider: true,
      renameProvider: { prepareProvider: true },
      documentSymbolProvider: true,
      foldingRangeProvider: true,
      codeActionProvider: { codeActionKinds: ['quickfix'] },
      signatureHelpProvider: { triggerCharacters: ['(', ','], retriggerCharacters: [')', ':'] },
      documentFormattingProvider: true,
      documentRangeFormattingProvider: true,
      documentOnTypeFormattingProvider: {
        firstTriggerCharacter: FORMAT_TRIGGERS[0],
        moreTriggerCharacter: FORMAT_TRIGGERS.slice(1),
      },
      semanticTokensProvider: { legend: SEMANTIC_LEGEND, full: true, range: true },
    },
  }));

  const at = <Result>(
    params: TextDocumentPositionParams,
    answer: (document: CompiledDocument, source: TextDocument, offset: number) => Result,
  ): Result | null => {
    const file = files.get(params.textDocument.uri);
    return file ? answer(file.document, file.source, file.source.offsetAt(params.position)) : null;
  };
  let cached: readonly CachedName[] = [];
  connection.onNotification(HUB_NAMES_NOTIFICATION, ({ names }: HubNamesParams) => {
    cached = names;
  });
  connection.onNotification(FIRST_DOCUMENTS_NOTIFICATION, ({ file, first }: FirstDocumentsParams) => {
    files.learn(file, first);
  });
  connection.onCompletion((params) =>
    at(params, (document, source, offset) => {
      const task = taskAt(document, offset);
      const fields = task && fieldNames(files.firstOf(source.uri)(task));
      const trigger = params.context?.triggerCharacter;
      return complete(document, source, offset, { cached, trigger, ...(fields && { fields }) });
    }),
  );
  connection.onHover((params) =>
    at(params, (document, source, offset) => hover(document, source, offset, files.firstOf(source.uri))),
  );
  connection.onDefinition((params) => at(params, definition));
  connection.onReferences((params) =>
    at(params, (document, source, offset) => references(document, source, offset, params.context.includeDeclaration)),
  );
  connection.onDocumentHighlight((params) => at(params, highlights));
  connection.onPrepareRename((params) => at(params, renamable));
  connection.onRenameRequest((params) =>
    at(params, (document, source, offset) => {
      const result = rename(document, source, offset, params.newName);
      if ('refusal' in result) return new ResponseError(ErrorCodes.InvalidParams, result.refusal);
      return { changes: { [source.uri]: result.edits } };
    }),
  );
  const of = <Result>(
    { uri }: TextDocumentIdentifier,
    answer: (document: CompiledDocument, source: TextDocument) => Result,
  ): Result | null => {
    const file = files.get(uri);
    return file ? answer(file.document, file.source) : null;
  };
  connection.onDocumentSymbol(({ textDocument }) => of(textDocument, documentSymbols));
  connection.onFoldingRanges(({ textDocument }) => of(textDocument, foldingRanges));
  connection.onCodeAction(({ textDocument, range }) =>
    of(textDocument, (document, source) => codeActions(files.told(document, source.uri), source, range)),
  );
  connection.onDocumentFormatting(({ textDocument, options }) =>
    of(textDocument, (document, source) => formatDocument(document, source, options)),
  );
  connection.onDocumentRangeFormatting(({ textDocument, range, options }) =>
    of(textDocument, (document, source) => formatRange(document, source, range, options)),
  );
  connection.onDocumentOnTypeFormatting(({ textDocument, position, ch, options }) =>
    of(textDocument, (document, source) => formatOnType(document, source, position, ch, options)),
  );
  connection.onSignatureHelp((params) => at(params, (document, _, offset) => signatureHelp(document, offset)));
  // An editor that asks about a file that is closed gets nothing, in the only form that the protocol has for it.
  connection.languages.semanticTokens.on(({ textDocument }) => of(textDocument, semanticTokens) ?? { data: [] });
  connection.languages.semanticTokens.onRange(
    ({ textDocument, range }) =>
      of(textDocument, (document, source) => semanticTokens(document, source, range)) ?? { data: [] },
  );
  connection.onRequest(PLAN_REQUEST, (params: PlanParams) => answerPlan(files, params));
  connection.onRequest(SEARCH_PLAN_REQUEST, (params: SearchPlanParams) => answerSearchPlan(files, params));
  connection.onRequest(TREE_REQUEST, ({ uri, name }: TreeParams): TreeResult => {
    const file = files.get(uri);
    return file ? metricTree(file.document, file.source, name) : null;
  });
  connection.listen();
}

/** The task in whose declaration the cursor stands. */
function taskAt({ declarations }: CompiledDocument, offset: number): TaskDeclaration | undefined {
  const last = declarations.findLast(({ start }) => start < offset);
  return last?.kind === 'task' ? last : undefined;
}

interface OpenFile {
  readonly source: TextDocument;
  readonly document: CompiledDocument;
}

/** The editor's open files, each read again when it has changed and somebody asks, or when there is a moment of rest. */
class OpenFiles {
  private readonly connection: Connection;
  private readonly sources = new TextDocuments(TextDocument);
  private readonly compiled = new Map<string, { version: number; document: CompiledDocument }>();
  private readonly changed = new Set<string>();
  /** Of each open file, as they were told last. */
  private readonly outlines = new Map<string, OutlineParams>();
  /** The first documents of files that tasks name. */
  private readonly first = new Map<string, FirstDocuments>();
  /** Such files of each open file, as they were told last. */
  private readonly taskFiles = new Map<string, readonly string[]>();

  constructor(connection: Connection) {
    this.connection = connection;
    this.sources.onDidChangeContent(({ document: { uri } }) => {
      this.validate(uri);
    });
    this.sources.onDidClose(({ document: { uri } }) => {
      this.compiled.delete(uri);
      this.changed.delete(uri);
      this.outlines.delete(uri);
      void this.tellFiles(uri, []);
      void connection.sendDiagnostics({ uri, diagnostics: [] });
    });
    this.sources.listen(connection);
  }

  get(uri: string): OpenFile | undefined {
    const source = this.sources.get(uri);
    if (source === undefined) return undefined;
    const known = this.compiled.get(uri);
    if (known?.version === source.version) return { source, document: known.document };
    const document = compile(source.getText(), known?.document);
    this.compiled.set(uri, { version: source.version, document });
    return { source, document };
  }

  /** What is known of the documents of the tasks of a file. */
  firstOf(uri: string): (task: TaskDeclaration) => FirstDocuments | undefined {
    return (task) => this.first.get(taskFile(uri, task) ?? '');
  }

  /** A file with what its documents show is wrong with it. */
  told(document: CompiledDocument, uri: string): CompiledDocument {
    const found = documentFindings(document, this.firstOf(uri));
    if (found.length === 0) return document;
    return { ...document, diagnostics: [...document.diagnostics, ...found].sort((a, b) => a.start - b.start) };
  }

  learn(file: string, first: FirstDocuments | undefined): void {
    if (first === undefined) this.first.delete(file);
    else this.first.set(file, first);
    for (const [uri, files] of this.taskFiles) if (files.includes(file)) this.validate(uri);
  }

  private validate(uri: string): void {
    if (this.changed.size === 0) setImmediate(() => void this.publish());
    this.changed.add(uri);
  }

  private async tellFiles(uri: string, files: readonly string[]): Promise<void> {
    const before = this.taskFiles.get(uri) ?? [];
    if (files.length === before.length && files.every((file, i) => file === before[i])) return;
    if (files.length === 0) this.taskFiles.delete(uri);
    else this.taskFiles.set(uri, files);
    await this.connection.sendNotification(TASK_FILES_NOTIFICATION, { uri, files } satisfies TaskFilesParams);
  }

  /** Tells what is wrong with the changed files first, and then what they declare. */
  private async publish(): Promise<void> {
    const uris = [...this.changed];
    this.changed.clear();
    for (const uri of uris) {
      const file = this.get(uri);
      if (file === undefined) continue;
      const { source, document } = file;
      const { version } = source;
      const diagnostics = lspDiagnostics(this.told(document, uri), source);
      await this.connection.sendDiagnostics({ uri, version, diagnostics });
      // Closed or changed while the diagnostics were written: the next round tells the rest.
      if (this.sources.get(uri)?.version !== version) continue;
      const told = this.outlines.get(uri);
      const outlined = outline(document, source);
      this.outlines.set(uri, outlined);
      await this.connection.sendNotification(OUTLINE_NOTIFICATION, outlineChange(told, outlined));
      await this.tellFiles(uri, [...declaredTaskFiles(uri, document).keys()]);
    }
  }
}

function answerPlan(files: OpenFiles, { uri, name, fallback }: PlanParams): PlanResult {
  try {
    const { document, folder } = fileOnDisk(files, uri);
    return { plans: plansFor(document, name, { folder, ...(fallback && { fallback }) }) };
  } catch (thrown) {
    return { error: toErrorData(thrown, `preparing the evaluation of \`${name ?? uri}\``) };
  }
}

function answerSearchPlan(
  files: OpenFiles,
  { uri, name, from, fallback, prompts }: SearchPlanParams,
): SearchPlanResult {
  try {
    const { document, folder } = fileOnDisk(files, uri);
    const context = { folder, ...(fallback && { fallback }), ...(prompts && { prompts }) };
    if (from !== undefined) return { plan: searchPlanFrom(document, from, context) };
    return { plan: searchPlansFor(document, name, context)[0]! };
  } catch (thrown) {
    return { error: toErrorData(thrown, `preparing the search \`${from ?? name ?? uri}\``) };
  }
}

function fileOnDisk(files: OpenFiles, uri: string): { document: CompiledDocument; folder: string } {
  const file = files.get(uri);
  if (file === undefined || !uri.startsWith('file:')) throw notOnDisk(uri, file !== undefined);
  return { document: file.document, folder: dirname(fileURLToPath(uri)) };
}

function notOnDisk(uri: string, isOpen: boolean): EspalierError {
  return new EspalierError({
    code: 'io/read',
    operation: 'preparing what to evaluate',
    expected: isOpen ? 'a file in a folder: paths in it start there' : 'an open .prune file',
    actual: uri,
    remedy: isOpen ? 'Save the file first.' : 'Open the file first.',
  });
}
