import { BUDGET_FORMS } from '../../experiment/budget.ts';
import { CompletionItemKind, InsertTextFormat } from 'vscode-languageserver';
import type { CompletionItem } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { isOperandName, OPERAND_NAMES, OPERANDS } from '../../metric/operands.ts';
import type { OperandName } from '../../metric/operands.ts';
import { OPERATION_NAMES, OPERATIONS } from '../../metric/operations.ts';
import type { OperationName } from '../../metric/operations.ts';
import type { CachedName } from '../../experiment/cachedName.ts';
import { OWL_SETTING_NAMES, OWL_SETTINGS } from '../../experiment/owlSettings.ts';
import { OWN_MASK } from '../../experiment/planned.ts';
import { protocolOf } from '../../experiment/protocols.ts';
import type { ProtocolName } from '../../experiment/protocols.ts';
import { writtenDefault } from '../../experiment/settingRow.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import { isSearchMethod, SEARCH_METHODS } from '../../search/methods.ts';
import { ALLOCATIONS, STRUCTURE_METHOD_NAMES, STRUCTURE_METHODS } from '../../experiment/structure.ts';
import type { StructureMethod } from '../../experiment/structure.ts';
import { isStructureMethod, removesComponents } from '../../experiment/structureNames.ts';
import { ownMaskSuggestions, recoverySuggestions, THEN, updateSuggestions } from './afterMaskSuggestions.ts';
import {
  describeAllocation,
  describeClause,
  describeDeclaration,
  describeOperand,
  describeOperation,
  describeProperty,
  describeStructureMethod,
} from './describe.ts';
import { describeProtocol } from './describeProtocol.ts';
import { fieldItem, fieldSuggestion, isFieldArgument, knownTaskSuggestions } from './taskSuggestions.ts';
import type { CompiledDocument, Declaration } from '../check/document.ts';
import { propertiesOf } from '../check/properties.ts';
import type { Property } from '../check/property.ts';
import { CLAUSES } from '../check/structureWords.ts';
import type { ClauseName } from '../check/structureWords.ts';
import { completionPlace, settingNamed } from './completionContext.ts';
import type { CompletionContext } from './completionContext.ts';
import { completeHubName } from './hubNameCompletion.ts';
import { rangeOf } from './positions.ts';
import { markdown } from './suggestion.ts';
import type { Suggestion } from './suggestion.ts';

/** What completion knows beside the text. */
export interface CompletionSurroundings {
  /** What the cache of the hub holds. */
  readonly cached?: readonly CachedName[];
  /** Fields of the first documents of the task that the cursor stands in. */
  readonly fields?: readonly string[];
  /** The character that asked, where it was not a person. */
  readonly trigger?: string | undefined;
}

/** Characters that ask for completions between quotes, and nowhere else: `"` ends a text, too, and `/` divides. */
const QUOTED_TRIGGERS = ['"', '/', '@', '{'];
export const COMPLETION_TRIGGERS = [':', '(', ',', '=', ...QUOTED_TRIGGERS];

/** What can be written at the cursor, with what each means. */
export function complete(
  document: CompiledDocument,
  source: TextDocument,
  offset: number,
  { cached = [], fields = [], trigger = '' }: CompletionSurroundings = {},
): CompletionItem[] {
  const { context, prefix } = completionPlace(document, offset);
  if (context.kind === 'place') return completeHubName(source, offset, { of: context.of, prefix, cached });
  if (context.kind === 'template') {
    const range = rangeOf(source, { start: offset - prefix.length, end: offset });
    return fields.map((name) => fieldItem(name, { range, newText: name }));
  }
  if (QUOTED_TRIGGERS.includes(trigger)) return [];
  const before = HYPHENATED.exec(document.text.slice(Math.max(0, offset - MAX_WORD), offset))?.[0] ?? '';
  return suggestions(document, context, fields).map(({ insert, ...item }) => {
    // Of a word with hyphens all that stands there is replaced.
    const written = before.includes('-') && item.label.startsWith(before) ? before : prefix;
    const range = rangeOf(source, { start: offset - written.length, end: offset });
    return { ...item, textEdit: { range, newText: insert }, insertTextFormat: InsertTextFormat.Snippet };
  });
}

const HYPHENATED = /[a-z]+(?:-[a-z]*)*$/;
const MAX_WORD = 100;

function suggestions(
  document: CompiledDocument,
  context: Exclude<CompletionContext, { readonly kind: 'place' | 'template' }>,
  fields: readonly string[],
): Suggestion[] {
  switch (context.kind) {
    case 'nothing':
      return [];
    case 'declaration':
      return DECLARATIONS;
    case 'property':
      return propertiesOf(context.block)
        .filter(({ name }) => !context.said.has(name))
        .map(propertySuggestion);
    case 'argument':
      return context.allowed
        .filter(({ name }) => !context.said.has(settingNamed(context.allowed, name)))
        .map(propertySuggestion);
    case 'value':
      return isFieldArgument(context.property)
        ? fields.map((name) => fieldSuggestion(name))
        : valueSuggestions(document, context.property);
    case 'score':
      return [
        ...STRUCTURE_METHOD_NAMES.filter((name) => context.isBlocks || removesComponents(name)).map(methodSuggestion),
        ...clauseSuggestions(document, context.clauses),
        // A method's name never means a metric here.
        ...expressionSuggestions(document, { kind: 'expression', piece: context.piece, callee: undefined }).filter(
          ({ label }) => !isStructureMethod(label),
        ),
      ];
    case 'rates':
      return rateSuggestions(context.isGlobal);
    case 'then':
      return [
        THEN,
        ...propertiesOf(context.block)
          .filter(({ name }) => !context.said.has(name))
          .map(propertySuggestion),
      ];
    case 'update':
      return updateSuggestions(context.of);
    case 'owl':
      return OWL_SETTING_NAMES.map((name) => ({
        label: `${name}:`,
        insert: `${name}: \${0:${OWL_SETTINGS[name].default}}`,
        kind: CompletionItemKind.Property,
        detail: OWL_SETTINGS[name].documentation,
      }));
    case 'expression':
      return [
        ...clauseSuggestions(document, context.clauses ?? []),
        // A metric that is called so goes first.
        ...(context.clauses && !isMetric(document, OWN_MASK) ? ownMaskSuggestions() : []),
        ...expressionSuggestions(document, context),
      ];
  }
}

const DECLARATIONS: Suggestion[] = [
  ['metric', 'metric ${1:name} = ${0:W * sqrt(X)}', 'a pruning metric: a score for every weight'],
  ['parameter', 'parameter ${1:name} = ${0:0.5}', 'a number that metrics use'],
  ['model', 'model ${1:name} = "${0:path}"', 'a checkpoint folder'],
  ['corpus', 'corpus ${1:name} = "${0:path}"', 'a text to evaluate or calibrate on'],
  [
    'task',
    'task ${1:name} = "${2:path}" (context: "{${3:question}}\\\\nAnswer:", choices: ${4:choices}, gold: ${0:label})',
    'questions of your own',
  ],
  [
    'experiment',
    'experiment ${1:name} {\n  model: $2\n  evaluate: $3\n  calibrate: $4\n  prune: $5\n  at: ${6:50%}\n}\n$0',
    'metrics, evaluated on a checkpoint and texts',
  ],
  [
    'search',
    'search ${1:name} {\n  model: $2\n  evaluate: $3\n  calibrate: $4\n  at: ${5:50%}\n  population: ${6:50}\n  generations: ${7:20}\n}\n$0',
    'a search for better metrics',
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

function propertySuggestion(property: Property, order: number): Suggestion {
  const { name, example } = property;
  return {
    label: name,
    insert: `${name}: $0`,
    kind: CompletionItemKind.Property,
    detail: example,
    documentation: markdown(describeProperty(property)),
    // Inputs before settings, as in the table.
    sortText: String(order).padStart(2, '0'),
  };
}

function valueSuggestions(document: CompiledDocument, { value, setting, updates }: Property): Suggestion[] {
  switch (value) {
    case 'model':
    case 'corpus':
      return declared(document, [value]).map((declaration) => declarationSuggestion(document, declaration));
    case 'sparsity':
      return ['50%', '2:4', '4:8'].map(plainValue);
    case 'sparsities':
      return [...['50%', '2:4', '4:8'].map(plainValue), ...BUDGET_FORMS.map(budgetSuggestion)];
    case 'share':
      return [...['20%', '30%', '50%'].map(plainValue), ...BUDGET_FORMS.map(budgetSuggestion)];
    case 'operands':
      return OPERAND_NAMES.map(operandSuggestion);
    case 'operations':
      return OPERATION_NAMES.map((name) => ({ ...operationSuggestion(name), insert: name }));
    case 'metrics':
    case 'prunings':
    case 'target':
    case 'score':
    case 'structures':
    case 'rates':
    case 'update':
      return updateSuggestions(updates ?? 'any');
    case 'recovery':
      return recoverySuggestions();
    case 'tasks':
      return [
        ...declared(document, ['task']).map((declaration) => declarationSuggestion(document, declaration)),
        ...knownTaskSuggestions(),
      ];
    case 'setting': {
      const row = setting?.row;
      if (row === undefined) return [];
      if (row.kind === 'choice') {
        return row.choices.map((label) => ({
          label,
          insert: label,
          kind: CompletionItemKind.EnumMember,
          ...(setting?.of === 'method' && isSearchMethod(label) && { detail: SEARCH_METHODS[label].documentation }),
          ...(setting?.of === 'protocol' && protocolDetail(document, label as ProtocolName)),
        }));
      }
      if (row.kind === 'text') return [{ ...plainValue('""'), insert: '"$0"', detail: 'a text' }];
      return [{ ...plainValue(writtenDefault(row)), detail: 'default' }];
    }
  }
}

function protocolDetail(document: CompiledDocument, name: ProtocolName): Pick<Suggestion, 'detail' | 'documentation'> {
  const { title, documentation } = protocolOf(name);
  return { detail: `${title}. ${documentation}`, documentation: markdown(describeProtocol(document, name)) };
}

/** What a model may cost, with what that means. */
function budgetSuggestion({ example, documentation }: (typeof BUDGET_FORMS)[number]): Suggestion {
  return { ...plainValue(example), detail: documentation };
}

function plainValue(label: string): Suggestion {
  return { label, insert: label, kind: CompletionItemKind.Value };
}

function expressionSuggestions(
  document: CompiledDocument,
  { piece, callee }: Extract<CompletionContext, { kind: 'expression' }>,
): Suggestion[] {
  const parameters = piece.tree?.syntax.kind === 'metric' ? piece.tree.syntax.parameters : [];
  const called = declared(document, ['metric']).find(({ name }) => name === callee);
  const calledParameters = called?.kind === 'metric' ? called.parameters : [];
  const names = declared(document, piece.keyword === 'parameter' ? ['parameter'] : ['metric', 'parameter']);
  const operands = piece.keyword === 'parameter' ? [] : OPERAND_NAMES;
  // What can have a comparison group of its own, where no other arguments stand.
  const isMetric = called?.kind === 'metric' || (callee !== undefined && isOperandName(callee));
  return [
    ...(isMetric && piece.keyword !== 'search' ? [GROUP] : []),
    ...calledParameters.map(({ name, value }) => ({
      label: `${name}:`,
      insert: `${name}: \${0:${value ?? ''}}`,
      kind: CompletionItemKind.Variable,
      detail: `parameter of ${callee ?? ''}`,
    })),
    ...parameters.map(({ name: { text } }) => ({ label: text, insert: text, kind: CompletionItemKind.Variable })),
    ...operands.map(operandSuggestion),
    // A metric cannot use itself.
    ...names
      .filter(({ start }) => start !== piece.start)
      .map((declaration) => declarationSuggestion(document, declaration)),
    ...OPERATION_NAMES.map(operationSuggestion),
  ];
}

const GROUP: Suggestion = {
  label: 'group:',
  insert: 'group: ${0:layer}',
  kind: CompletionItemKind.Property,
  detail: SETTINGS.group.documentation,
};

function methodSuggestion(name: StructureMethod): Suggestion {
  return {
    label: name,
    insert: name,
    kind: CompletionItemKind.EnumMember,
    detail: STRUCTURE_METHODS[name].formula,
    documentation: markdown(describeStructureMethod(name)),
    // Before the metrics of the file.
    sortText: `0${name}`,
  };
}

/** A metric that is called so goes first. */
function clauseSuggestions(document: CompiledDocument, names: readonly ClauseName[]): Suggestion[] {
  const metrics = declared(document, ['metric']);
  const free = names.filter((name) => !metrics.some((metric) => metric.name === name));
  return free.map((name) => ({
    label: name,
    insert: `${name}($1)$0`,
    kind: CompletionItemKind.Function,
    detail: CLAUSES[name].signature,
    documentation: markdown(describeClause(name)),
  }));
}

/** @param isGlobal whether rates can follow from the scores */
function rateSuggestions(isGlobal: boolean): Suggestion[] {
  const words = ALLOCATIONS.filter((name) => isGlobal || name !== 'global').map((name) => ({
    label: name,
    insert: name,
    kind: CompletionItemKind.EnumMember,
    documentation: markdown(describeAllocation(name)),
  }));
  const list = { label: '[…]', insert: '[$0]', kind: CompletionItemKind.Value, detail: 'one rate for each block' };
  return [...words, list];
}

function operandSuggestion(name: OperandName): Suggestion {
  return {
    label: name,
    insert: name,
    kind: CompletionItemKind.Variable,
    detail: OPERANDS[name].formula,
    documentation: markdown(describeOperand(name)),
  };
}

function operationSuggestion(name: OperationName): Suggestion {
  return {
    label: name,
    insert: OPERATIONS[name].arity === 1 ? `${name}($1)$0` : `${name}($1, $2)$0`,
    kind: CompletionItemKind.Function,
    detail: OPERATIONS[name].formula,
    documentation: markdown(describeOperation(name)),
  };
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

/** Of two with the same name the first one counts. */
function declared(document: CompiledDocument, kinds: readonly Declaration['kind'][]): Declaration[] {
  const found = document.declarations.filter(({ kind, name }) => kinds.includes(kind) && name !== '');
  return [...new Map(found.reverse().map((declaration) => [declaration.name, declaration])).values()].reverse();
}

function isMetric(document: CompiledDocument, called: string): boolean {
  return declared(document, ['metric']).some(({ name }) => name === called);
}
