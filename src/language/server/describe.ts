import { markdownBlock, markdownCode, markdownLines } from '../../base/markdown.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { REMOVED, STRUCTURE_METHODS } from '../../experiment/structure.ts';
import type { StructureMethod } from '../../experiment/structure.ts';
import { operandsOf } from '../../metric/measure.ts';
import { OPERANDS } from '../../metric/operands.ts';
import type { OperandName } from '../../metric/operands.ts';
import { OPERATIONS } from '../../metric/operations.ts';
import type { OperationName } from '../../metric/operations.ts';
import { infixSymbol, printInfix } from '../../metric/print.ts';
import { OPERAND_SHAPES, printShape } from '../../metric/shape.ts';
import { describeProtocol } from './describeProtocol.ts';
import { describeKnownTask, describeOwnTask } from './describeTask.ts';
import type { FirstDocuments } from './firstDocuments.ts';
import { docComment } from '../syntax/docComment.ts';
import type {
  CompiledDocument,
  Declaration,
  MetricDeclaration,
  SearchContent,
  SearchDeclaration,
  TaskDeclaration,
} from '../check/document.ts';
import type { FileSymbol } from '../check/symbols.ts';
import type { Property } from '../check/property.ts';
import { describeRanking } from '../check/ranking.ts';
import { searchOperands } from '../check/search.ts';
import { rateTarget } from '../check/blockSearch.ts';
import { ALLOCATION_WORDS, CLAUSES } from '../check/structureWords.ts';
import type { AllocationWord, ClauseName } from '../check/structureWords.ts';
import { mayAskLlm } from '../plan/plannedLlm.ts';
import type { SearchKind, SearchMethod } from '../../search/kinds.ts';
import { DEFAULT_SEARCH_METHOD, SEARCH_METHODS } from '../../search/methods.ts';
import { RECOVERY_METHODS, RECOVERY_SETTINGS, recoveryText } from '../../experiment/recovery.ts';
import type { RecoveryMethod } from '../../experiment/recovery.ts';
import { settingsWith, writtenDefault } from '../../experiment/settingRow.ts';
import type { SettingTable } from '../../experiment/settingRow.ts';
import { UPDATES } from '../../experiment/updates.ts';
import type { UpdateMethod } from '../../experiment/updates.ts';
import type { RateSearchPlan } from '../../search/rates/plan.ts';
import { subjectWords } from '../../search/rates/configuration.ts';

/** What a name stands for, as Markdown: its definition, then what it does. @param firstOf the first documents of a task of the file, where known */
export function describeSymbol(
  document: CompiledDocument,
  symbol: FileSymbol,
  firstOf?: (task: TaskDeclaration) => FirstDocuments | undefined,
): string {
  switch (symbol.kind) {
    case 'operation':
      return describeOperation(symbol.name);
    case 'operand':
      return describeOperand(symbol.name);
    case 'property':
      return describeProperty(symbol.property);
    case 'structure-method':
      return describeStructureMethod(symbol.name);
    case 'clause':
      return describeClause(symbol.name);
    case 'allocation':
      return describeAllocation(symbol.name);
    case 'update':
      return describeUpdate(symbol.name);
    case 'recovery':
      return describeRecovery(symbol.name);
    case 'known-task':
      return describeKnownTask(symbol.name);
    case 'protocol':
      return describeProtocol(document, symbol.name, symbol.start);
    case 'metric-parameter': {
      const metric = document.declarations.find(({ start }) => start === symbol.start);
      const parameters = metric?.kind === 'metric' ? metric.parameters : [];
      const value = parameters.find(({ name }) => name === symbol.name)?.value;
      return (
        code(`${symbol.name} = ${value ?? '?'}`) +
        paragraph(`Parameter of the metric ${markdownCode(metric?.name ?? '')}.`)
      );
    }
    case 'model':
    case 'corpus':
    case 'task':
    case 'parameter':
    case 'metric':
    case 'experiment':
    case 'search': {
      const declaration = document.declarations.find(({ nameSpan }) => nameSpan.start === symbol.span.start);
      if (declaration === undefined) return '';
      const preview =
        declaration.kind === 'task' ? paragraph(describeOwnTask(declaration, firstOf?.(declaration))) : '';
      return describeDeclaration(document, declaration) + preview;
    }
  }
}

export function describeOperation(name: OperationName): string {
  const { arity, formula, documentation, searchable } = OPERATIONS[name];
  const symbol = infixSymbol(name);
  const head = `${name}(${arity === 1 ? 'x' : 'x, y'})${symbol === undefined ? '' : ` = x ${symbol} y`}`;
  const origin = searchable ? 'In Pruner-Zero’s search space.' : 'Of this language; not in Pruner-Zero’s search space.';
  return `${code(head)}${paragraph(`\`${formula}\``)}${paragraph(documentation)}${paragraph(origin)}`;
}

export function describeOperand(name: OperandName): string {
  const { formula, documentation, shape, needs } = OPERANDS[name];
  const source =
    needs.length === 0 ? 'Read off the weights.' : `Needs calibration (${needs.join(', ').replaceAll('-', ' ')}).`;
  return `${code(`${name}: ${printShape(OPERAND_SHAPES[shape])}`)}${paragraph(`\`${formula}\``)}${paragraph(documentation)}${paragraph(source)}`;
}

export function describeStructureMethod(name: StructureMethod): string {
  const { formula, documentation, removes } = STRUCTURE_METHODS[name];
  const what = `Removes ${REMOVED[removes]}.`;
  return `${code(`structure(${name})`)}${paragraph(`\`${formula}\``)}${paragraph(documentation)}${paragraph(what)}`;
}

export function describeClause(name: ClauseName): string {
  return `${code(CLAUSES[name].signature)}${paragraph(CLAUSES[name].documentation)}`;
}

export function describeAllocation(name: AllocationWord): string {
  return `${code(ALLOCATION_WORDS[name].example)}${paragraph(ALLOCATION_WORDS[name].documentation)}`;
}

export function describeUpdate(name: UpdateMethod): string {
  const { of, documentation, settings } = UPDATES[name];
  const example = `${of === 'weights' ? 'wanda' : 'structure(wanda-sp)'} then ${name}`;
  return `${code(example)}${paragraph(documentation)}${paragraph(settingList(settings))}`;
}

export function describeRecovery(name: RecoveryMethod): string {
  const documentation = `${RECOVERY_METHODS[name].documentation}${paragraph(settingList(RECOVERY_SETTINGS))}`;
  return `${code(`recover: ${name} (steps: 300)`)}${paragraph(documentation)}`;
}

function settingList(table: SettingTable): string {
  const rows = Object.entries(table);
  return rows.map(([name, row]) => `- \`${name}: ${writtenDefault(row)}\`: ${row.documentation}`).join('\n');
}

export function describeProperty({ documentation, example }: Property): string {
  return `${code(example)}${paragraph(documentation)}`;
}

export function describeDeclaration(document: CompiledDocument, declaration: Declaration): string {
  const comment = paragraph(markdownLines(docComment(document.text, declaration.start)));
  return `${code(declarationHead(document, declaration))}${comment}${paragraph(detail(document, declaration))}`;
}

function declarationHead({ text }: CompiledDocument, declaration: Declaration): string {
  const { kind, name, start, end } = declaration;
  if (kind === 'experiment' || kind === 'defaults' || kind === 'search') return `${kind} ${name}`;
  const source = text.slice(start, end);
  return source.length <= MAX_SOURCE ? source : `${source.slice(0, MAX_SOURCE)}…`;
}

function detail(document: CompiledDocument, declaration: Declaration): string {
  switch (declaration.kind) {
    case 'metric':
      return metricDetail(document, declaration);
    case 'parameter':
      return declaration.value === undefined ? '' : `Value: ${declaration.value}`;
    case 'experiment': {
      const { prune = [], at = [], tasks = [] } = declaration.content;
      const asked = tasks.length === 0 ? '' : ` Asks ${tasks.map(({ name }) => markdownCode(name)).join(', ')}.`;
      if (prune.length === 0) return `Evaluates the dense model.${asked}`;
      const listed = prune.map(({ label }) => markdownCode(label)).join(', ');
      const howMuch = at.length === 0 ? '' : ` at ${at.map(printSparsity).join(', ')}`;
      const trained = declaration.content.recover
        ? ` and recovers by ${recoveryText(declaration.content.recover)}`
        : '';
      return `Prunes with ${listed}${howMuch}${trained}.${asked}`;
    }
    case 'search':
      return searchDetail(declaration);
    case 'model':
    case 'corpus':
    case 'task':
    case 'defaults':
      return '';
  }
}

function searchDetail({ content }: SearchDeclaration): string {
  const { method = DEFAULT_SEARCH_METHOD, search } = content;
  const { finds, words } = SEARCH_METHODS[method];
  return `${SEARCH_DETAILS[finds](content, method)}: ${words(search)}.`;
}

const SEARCH_DETAILS: Readonly<Record<SearchKind, (content: SearchContent, method: SearchMethod) => string>> = {
  metrics: (content, method) => {
    const how = method === 'random' ? 'Random search' : 'Genetic programming';
    const seeds = (content.from ?? []).map(({ label }) => markdownCode(label)).join(', ');
    const from = seeds === '' ? 'random trees' : `${seeds} and random trees`;
    const proposed = mayAskLlm(content) ? `, some proposed by a language model${providerWords(content)}` : '';
    return `${how} from ${from} of ${searchOperands(content).join(', ')}${proposed}`;
  },
  rates: (content, method) => {
    const { provider = 'none' } = content.llm;
    const who = provider === 'none' ? ' with classical operators' : ` with a language model (\`${provider}\`)`;
    const how = `${SEARCH_METHODS[method].title}${mayAskLlm(content) ? who : ''}`;
    const search = settingsWith(SEARCH_METHODS[method].settings, content.search) as RateSearchPlan['search'];
    return `Searches for ${subjectWords({ target: rateTarget(content), search }, markdownCode)}, by ${how}`;
  },
  masks: () => 'Learns which components to keep by policy gradient',
};

function providerWords({ llm: { provider } }: SearchContent): string {
  return provider === undefined ? '' : ` (\`${provider}\`)`;
}

function metricDetail(document: CompiledDocument, declaration: MetricDeclaration): string {
  const { expression, shape } = declaration;
  if (expression === undefined || shape === undefined) return 'It has errors, or uses something that has.';
  const formula = printInfix(expression);
  const shown = formula.length <= MAX_SOURCE ? formula : `${formula.slice(0, MAX_SOURCE)}…`;
  const operands = operandsOf(expression).join(', ');
  return `In full: ${markdownCode(shown)}, ${printShape(shape)}, from ${operands}.${paragraph(describeRanking(document, declaration))}`;
}

const MAX_SOURCE = 1000;

function code(source: string): string {
  return markdownBlock(source, 'prune');
}

function paragraph(text: string): string {
  return text === '' ? '' : `\n\n${text}`;
}
