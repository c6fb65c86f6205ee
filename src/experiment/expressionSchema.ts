import * as z from 'zod';
import type { Expression } from '../metric/expression.ts';
import { OPERANDS } from '../metric/operands.ts';
import { OPERATIONS } from '../metric/operations.ts';
import { parsePrefix } from '../metric/parsePrefix.ts';
import { textSchema } from '../base/scalarSchemas.ts';

/** Deepest expression; the walk below is iterative, so that a hostile one cannot exhaust the stack. */
const MAX_DEPTH = 512;
const MAX_NODES = 100_000;

export const expressionSchema = z.custom<Expression>(
  isExpression,
  'expected an expression over the operations and operands of the language',
);

/** A metric in prefix form: whoever is shown one may parse it. */
export const metricTextSchema = textSchema.refine(isMetricText, 'expected a metric in prefix form');

function isExpression(value: unknown): value is Expression {
  const open: { node: unknown; depth: number }[] = [{ node: value, depth: 1 }];
  let nodes = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.depth > MAX_DEPTH || ++nodes > MAX_NODES) return false;
    const node = next.node;
    if (typeof node !== 'object' || node === null) return false;
    const fields = node as Record<string, unknown>;
    switch (fields['kind']) {
      case 'operand':
        if (typeof fields['name'] !== 'string' || !Object.hasOwn(OPERANDS, fields['name'])) return false;
        break;
      case 'number':
        if (!Number.isFinite(fields['value'])) return false;
        break;
      case 'operation': {
        const name = fields['operation'];
        const parts: unknown = fields['arguments'];
        if (typeof name !== 'string' || !Object.hasOwn(OPERATIONS, name) || !Array.isArray(parts)) return false;
        if (parts.length !== OPERATIONS[name as keyof typeof OPERATIONS].arity) return false;
        for (const part of parts as unknown[]) open.push({ node: part, depth: next.depth + 1 });
        break;
      }
      default:
        return false;
    }
  }
  return true;
}

function isMetricText(text: string): boolean {
  try {
    parsePrefix(text);
    return true;
  } catch {
    return false;
  }
}
