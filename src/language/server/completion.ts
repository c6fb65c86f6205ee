import { CompletionItemKind, InsertTextFormat } from 'vscode-languageserver';
import type { CompletionItem } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { SETTINGS } from '../../experiment/settings.ts';
import { OPERAND_NAMES, OPERANDS } from '../../metric/operands.ts';
import { OPERATION_NAMES, OPERATIONS } from '../../metric/operations.ts';
import { describeDeclaration, describeOperand, describeOperation, describeProperty } from '../describe.ts';
import type { CompiledDocument, Declaration } from '../document.ts';
import { PROPERTIES, PROPERTY_NAMES, propertyOfSetting } from '../properties.ts';
import type { PropertyName } from '../properties.ts';
import { completionPlace } from './completionContext.ts';
import type { CompletionContext } from './completionContext.ts';
import { rangeOf } from './positions.ts';

/** What can be written at the cursor, with what each means. */
export function complete(document: CompiledDocument, source: TextDocument, offset: number): CompletionItem[] {
  const { context, prefix } = completionPlace(document, offset);
  const range = rangeOf(source, { start: offset - prefix.length, end: offset });
  return suggestions(document, context).map(({ insert, ...item }) => ({
    ...item,
    textEdit: { range, newText: insert },
    insertTextFormat: InsertTextFormat.Snippet,
  }));
}

interface Suggestion extends Pick<CompletionItem, 'label' | 'kind' | 'detail' | 'documentation' | 'sortText'> {
  /** A snippet: `$0` is where the cursor goes. */
  readonly insert: string;
}

function suggestions(document: CompiledDocument, context: CompletionContext): Suggestion[] {
  switch (context.kind) {
    case 'nothing':
      return [];
    case 'declaration':
      return DECLARATIONS;
    case 'property':
      return PROPERTY_NAMES.filter(
        (name) => !context.said.has(name) && !(name === 'prune' && context.block === 'defaults'),
      ).map((name, i) => propertySuggestion(name, i));
    case 'argument': {
      const settings = PROPERTIES[context.of].arguments ?? [];
      const names = settings.map(propertyOfSetting).filter((name) => !context.said.has(name));
      return names.map(propertySuggestion);
    }
    case 'value':
      return valueSuggestions(document, context.property);
    case 'expression':
      return expressionSuggestions(document, context);
  }
}

const DECLARATIONS: Suggestion[] = [
  ['metric', 'metric ${1:name} = ${0:W * sqrt(X)}', 'a pruning metric: a score for every weight'],
  ['parameter', 'parameter ${1:name} = ${0:0.5}', 'a number that metrics use'],
  ['model', 'model ${1:name} = "${0:path}"', 'a checkpoint folder'],
  ['corpus', 'corpus ${1:name} = "${0:path}"', 'a text to evaluate or calibrate on'],
  [
    'experiment',
    'experiment ${1:name} {\n  model: $2\n  evaluate: $3\n  calibrate: $4\n  prune: $5\n  at: ${6:50%}\n}\n$0',
    'metrics, evaluated on a checkpoint and texts',
  ],
  [
    'defaults',
    'defaults {\n  model: $1\n  evaluate: $2\n  calibrate: $3\n}\n$0',
    'what experiments and lone metrics share',
  ],
].map(([label, insert, detail]) => ({
  label: label!,
  insert: insert!,
  detail: detail!,
  kind: CompletionItemKind.Keyword,
}));

function propertySuggestion(name: PropertyName, order: number): Suggestion {
  return {
    label: name,
    insert: `${name}: $0`,
    kind: CompletionItemKind.Property,
    detail: PROPERTIES[name].example,
    documentation: markdown(describeProperty(name)),
    // Inputs before settings, as in the table.
    sortText: String(order).padStart(2, '0'),
  };
}

function valueSuggestions(document: CompiledDocument, name: PropertyName): Suggestion[] {
  const { value, setting } = PROPERTIES[name];
  if (value === 'model' || value === 'corpus') {
    return declared(document, [value]).map((declaration) => declarationSuggestion(document, declaration));
  }
  if (value === 'sparsities') {
    return ['50%', '2:4', '4:8'].map((label) => ({ label, insert: label, kind: CompletionItemKind.Value }));
  }
  const row = setting === undefined ? undefined : SETTINGS[setting];
  if (row?.kind === 'choice') {
    return row.choices.map((label) => ({ label, insert: label, kind: CompletionItemKind.EnumMember }));
  }
  if (row?.kind === 'integer') {
    const label = String(row.default);
    return [{ label, insert: label, detail: 'default', kind: CompletionItemKind.Value }];
  }
  return [];
}

function expressionSuggestions(
  document: CompiledDocument,
  { piece, callee }: Extract<CompletionContext, { kind: 'expression' }>,
): Suggestion[] {
  const parameters = piece.tree?.syntax?.kind === 'metric' ? piece.tree.syntax.parameters : [];
  const called = declared(document, ['metric']).find(({ name }) => name === callee);
  const calledParameters = called?.kind === 'metric' ? called.parameters : [];
  const names = declared(document, piece.keyword === 'parameter' ? ['parameter'] : ['metric', 'parameter']);
  const operands = piece.keyword === 'parameter' ? [] : OPERAND_NAMES;
  return [
    ...calledParameters.map(({ name, value }) => ({
      label: `${name}:`,
      insert: `${name}: \${0:${value ?? ''}}`,
      kind: CompletionItemKind.Variable,
      detail: `parameter of ${callee ?? ''}`,
    })),
    ...parameters.map(({ name: { text } }) => ({ label: text, insert: text, kind: CompletionItemKind.Variable })),
    ...operands.map((name) => ({
      label: name,
      insert: name,
      kind: CompletionItemKind.Variable,
      detail: OPERANDS[name].formula,
      documentation: markdown(describeOperand(name)),
    })),
    // A metric cannot use itself.
    ...names
      .filter(({ start }) => start !== piece.start)
      .map((declaration) => declarationSuggestion(document, declaration)),
    ...OPERATION_NAMES.map((name) => ({
      label: name,
      insert: OPERATIONS[name].arity === 1 ? `${name}($1)$0` : `${name}($1, $2)$0`,
      kind: CompletionItemKind.Function,
      detail: OPERATIONS[name].formula,
      documentation: markdown(describeOperation(name)),
    })),
  ];
}

function declarationSuggestion(document: CompiledDocument, declaration: Declaration): Suggestion {
  return {
    label: declaration.name,
    insert: declaration.name,
    kind: declaration.kind === 'metric' ? CompletionItemKind.Method : CompletionItemKind.Constant,
    detail: declaration.kind,
    documentation: markdown(describeDeclaration(document, declaration)),
  };
}

function declared(document: CompiledDocument, kinds: readonly Declaration['kind'][]): Declaration[] {
  return document.declarations.filter(({ kind, name }) => kinds.includes(kind) && name !== '');
}

function markdown(value: string): { kind: 'markdown'; value: string } {
  return { kind: 'markdown', value };
}
