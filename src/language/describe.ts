import { DEFAULT_SEARCH_SETTINGS } from '../experiment/search.ts';
import { printSparsity } from '../experiment/sparsity.ts';
import { operandsOf } from '../metric/measure.ts';
import { OPERANDS } from '../metric/operands.ts';
import type { OperandName } from '../metric/operands.ts';
import { OPERATIONS } from '../metric/operations.ts';
import type { OperationName } from '../metric/operations.ts';
import { infixSymbol, printInfix } from '../metric/print.ts';
import { OPERAND_SHAPES, printShape } from '../metric/shape.ts';
import { docComment } from './docComment.ts';
import type { CompiledDocument, Declaration, FileSymbol, MetricDeclaration, SearchDeclaration } from './document.ts';
import type { Property } from './properties.ts';
import { describeRanking } from './ranking.ts';
import { searchOperands } from './search.ts';

/** What a name stands for, as Markdown: its definition, then what it does. */
export function describeSymbol(document: CompiledDocument, symbol: FileSymbol): string {
  switch (symbol.kind) {
    case 'operation':
      return describeOperation(symbol.name);
    case 'operand':
      return describeOperand(symbol.name);
    case 'property':
      return describeProperty(symbol.property);
    case 'metric-parameter': {
      const metric = document.declarations.find(({ start }) => start === symbol.start);
      const parameters = metric?.kind === 'metric' ? metric.parameters : [];
      const value = parameters.find(({ name }) => name === symbol.name)?.value;
      return code(`${symbol.name} = ${value ?? '?'}`) + paragraph(`Parameter of the metric \`${metric?.name ?? ''}\`.`);
    }
    case 'model':
    case 'corpus':
    case 'parameter':
    case 'metric':
    case 'experiment':
    case 'search': {
      const declaration = document.declarations.find(({ nameSpan }) => nameSpan.start === symbol.span.start);
      return declaration ? describeDeclaration(document, declaration) : '';
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

export function describeProperty({ documentation, example }: Property): string {
  return `${code(example)}${paragraph(documentation)}`;
}

export function describeDeclaration(document: CompiledDocument, declaration: Declaration): string {
  const comment = paragraph(docComment(document.text, declaration.start));
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
      const { prune = [], at = [] } = declaration.content;
      if (prune.length === 0) return 'Evaluates the dense model.';
      return `Prunes with ${prune.map(({ label }) => `\`${label}\``).join(', ')} at ${at.map(printSparsity).join(', ')}.`;
    }
    case 'search':
      return searchDetail(declaration);
    case 'model':
    case 'corpus':
    case 'defaults':
      return '';
  }
}

function searchDetail({ content }: SearchDeclaration): string {
  const { method, population, generations } = { ...DEFAULT_SEARCH_SETTINGS, ...content.search };
  const how = method === 'random' ? 'Random search' : 'Genetic programming';
  const seeds = (content.from ?? []).map(({ label }) => `\`${label}\``).join(', ');
  const from = seeds === '' ? 'random trees' : `${seeds} and random trees`;
  return `${how} from ${from} of ${searchOperands(content).join(', ')}: ${generations} generations of ${population} metrics.`;
}

function metricDetail(document: CompiledDocument, declaration: MetricDeclaration): string {
  const { expression, shape } = declaration;
  if (expression === undefined || shape === undefined) return 'It has errors, or uses something that has.';
  const formula = printInfix(expression);
  const shown = formula.length <= MAX_SOURCE ? formula : `${formula.slice(0, MAX_SOURCE)}…`;
  const operands = operandsOf(expression).join(', ');
  return `In full: \`${shown}\`, ${printShape(shape)}, from ${operands}.${paragraph(describeRanking(document, declaration))}`;
}

const MAX_SOURCE = 1000;

function code(source: string): string {
  return `\`\`\`prune\n${source}\n\`\`\``;
}

function paragraph(text: string): string {
  return text === '' ? '' : `\n\n${text}`;
}
