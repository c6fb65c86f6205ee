import { EspalierError } from '../base/errors.ts';
import { operand, operation } from './expression.ts';
import type { Expression } from './expression.ts';
import { MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_NODES } from './limits.ts';
import { nearestName } from './nearest.ts';
import { isOperandName } from './operands.ts';
import { looksLikeNotation, NotationProblem, parseNotation, printNotation } from './prunerZeroNotation.ts';
import type { PrunerZeroTree } from './prunerZeroNotation.ts';
import { isOperationName, OPERATION_NAMES, OPERATIONS } from './operations.ts';

/** The terminals that Pruner-Zero knows. */
const TERMINALS = ['W', 'X', 'G'] as const;
type Terminal = (typeof TERMINALS)[number];

/** No tree of {@link MAX_EXPRESSION_NODES} nodes needs more text, however it is indented. */
const MAX_TEXT = 4_000_000;

/**
 * The metric that a tree of Pruner-Zero describes: its JSON, or the spelling that its code prints. Missing children may be left out or
 * be null; anything else that the format does not know is refused.
 * @throws EspalierError `metric/json`, naming the node at fault by its path from the root (`left.right`)
 */
export function importPrunerZero(text: string): Expression {
  if (text.length > MAX_TEXT) {
    throw jsonError('the root', `at most ${MAX_TEXT} characters`, String(text.length), 'Import one tree at a time.');
  }
  const value = looksLikeNotation(text) ? readNotation(text) : readJson(text);
  const counter = { nodes: 0 };
  return readNode(value, [], counter);
}

/**
 * The metric as Pruner-Zero's JSON; `importPrunerZero` reads back the same tree.
 * @throws EspalierError `metric/json` where the metric uses what Pruner-Zero has no name for
 */
export function exportPrunerZero(expression: Expression): string {
  return JSON.stringify(writeNode(expression), undefined, 4);
}

/** The metric as Pruner-Zero's code prints it: `(W) mul ((X) sqrt (#))`. Throws as {@link exportPrunerZero} does. */
export function exportNotation(expression: Expression): string {
  return printNotation(writeNode(expression));
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw jsonError('the root', 'JSON', reason, 'Copy the whole tree, braces included.');
  }
}

function readNotation(text: string): unknown {
  try {
    return parseNotation(text);
  } catch (cause) {
    if (!(cause instanceof NotationProblem)) throw cause;
    throw jsonError('the root', cause.expected, cause.actual, 'Copy the whole tree, as `((W) mul (X)) sqrt (#)`.');
  }
}

function readNode(value: unknown, path: readonly string[], counter: { nodes: number }): Expression {
  const where = path.length === 0 ? 'the root' : path.join('.');
  if (++counter.nodes > MAX_EXPRESSION_NODES) {
    throw jsonError(where, `at most ${MAX_EXPRESSION_NODES} nodes`, 'more', 'Import a smaller tree.');
  }
  if (path.length >= MAX_EXPRESSION_DEPTH) {
    throw jsonError('the tree', `a depth of at most ${MAX_EXPRESSION_DEPTH}`, 'more', 'Import a smaller tree.');
  }
  const { data, left, right } = readFields(value, where);
  if (isTerminal(data)) {
    if (left !== undefined || right !== undefined) {
      throw jsonError(where, `no children of the operand ${data}`, 'children', 'Remove `left` and `right`.');
    }
    return operand(data);
  }
  if (!isOperationName(data) || !OPERATIONS[data].searchable) throw unknownName(data, where);
  const children = [left, right].filter((child) => child !== undefined);
  const { arity } = OPERATIONS[data];
  if (children.length !== arity || left === undefined) {
    const expected = arity === 1 ? '`left` only' : '`left` and `right`';
    const actual = [left === undefined ? [] : ['`left`'], right === undefined ? [] : ['`right`']].flat();
    throw jsonError(where, `${expected} under ${data}`, actual.join(' and ') || 'no child', 'Mend the node.');
  }
  const sides = ['left', 'right'];
  return operation(data, ...children.map((child, i) => readNode(child, [...path, sides[i]!], counter)));
}

function readFields(value: unknown, where: string): { data: string; left: unknown; right: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw jsonError(where, 'an object with `data`', kindOf(value), 'Write each node as {"data": …}.');
  }
  const unknown = Object.keys(value).find((key) => key !== 'data' && key !== 'left' && key !== 'right');
  if (unknown !== undefined) {
    throw jsonError(where, 'only `data`, `left` and `right`', quote(unknown), 'Remove the other fields.');
  }
  const fields = value as Record<string, unknown>;
  const data = fields['data'];
  if (typeof data !== 'string')
    throw jsonError(where, 'a name as `data`', kindOf(data), 'Name an operation or operand.');
  return { data, left: fields['left'] ?? undefined, right: fields['right'] ?? undefined };
}

function writeNode(expression: Expression): PrunerZeroTree {
  switch (expression.kind) {
    case 'number':
      throw exportError(`the number ${expression.value}`);
    case 'operand':
      if (!isTerminal(expression.name)) throw exportError(`the operand ${expression.name}`);
      return { data: expression.name };
    case 'operation': {
      const { searchable } = OPERATIONS[expression.operation];
      if (!searchable) throw exportError(`the operation ${expression.operation}`);
      const [left, right] = expression.arguments.map(writeNode);
      return { data: expression.operation, left: left!, ...(right === undefined ? {} : { right }) };
    }
  }
}

function isTerminal(name: string): name is Terminal {
  return (TERMINALS as readonly string[]).includes(name);
}

function unknownName(name: string, where: string): EspalierError {
  const names = OPERATION_NAMES.filter((known) => OPERATIONS[known].searchable);
  const near = nearestName(name, [...TERMINALS, ...names]);
  const known = isOperationName(name) || isOperandName(name);
  return jsonError(
    where,
    `one of ${[...TERMINALS, ...names].join(', ')}`,
    known ? `${quote(name)}, which is Espalier’s own` : quote(name),
    near === undefined ? 'Write one of Pruner-Zero’s names.' : `Did you mean ${quote(near)}?`,
  );
}

function exportError(what: string): EspalierError {
  return new EspalierError({
    code: 'metric/json',
    operation: 'writing a Pruner-Zero tree',
    expected: 'only Pruner-Zero’s operations on W, X and G',
    actual: what,
    remedy: 'Pruner-Zero has no name for it: rewrite the metric without it, or keep it as a `.prune` file.',
  });
}

function jsonError(where: string, expected: string, actual: string, remedy: string): EspalierError {
  const operation = `reading a Pruner-Zero tree at ${shorten(where)}`;
  return new EspalierError({ code: 'metric/json', operation, expected, actual: shorten(actual), remedy });
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : JSON.stringify(value);
}

function quote(text: string): string {
  return JSON.stringify(shorten(text));
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}
