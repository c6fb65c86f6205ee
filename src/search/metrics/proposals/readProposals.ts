import { canonical } from '../../../metric/canonical.ts';
import type { CanonicalForm } from '../../../metric/canonical.ts';
import { constantValue } from '../../../metric/constant.ts';
import { operation } from '../../../metric/expression.ts';
import type { Expression } from '../../../metric/expression.ts';
import { depthOf, operandsOf, sizeOf } from '../../../metric/measure.ts';
import { infixSymbol, printInfix } from '../../../metric/print.ts';
import type { OperationName } from '../../../metric/operations.ts';
import type { ReadFormula } from '../effects.ts';
import type { Rejected } from '../events.ts';
import type { MetricSearchPlan } from '../plan.ts';
import { alphabetOf } from '../alphabet.ts';
import type { Constants } from '../alphabet.ts';
import { cancelled } from '../propose.ts';
import { nodesOf } from '../tree.ts';
import { MAX_LINE, MAX_REPLY_LENGTH, replyFormulas } from './replyFormulas.ts';
import { MAX_REJECTED, MAX_SHOWN } from './schema.ts';

/** What came of a reply. */
export interface ReadReply {
  /** In its order, at most as many as were wanted, no two of the same canonical form. */
  readonly formulas: readonly ProposedFormula[];
  readonly rejected: readonly Rejected[];
  /** Proposals that nobody looked at: enough had been found, or more were wrong than are told. */
  readonly unread: number;
}

export interface ProposedFormula {
  readonly expression: Expression;
  readonly canonical: CanonicalForm;
}

export interface Wanted {
  readonly count: number;
  readonly plan: Pick<MetricSearchPlan, 'operands' | 'operations' | 'search'>;
  readonly readFormula: ReadFormula;
  /** What a known metric of this form is called, for a person. */
  readonly knownAs: (form: CanonicalForm) => string | undefined;
}

/**
 * Reads the formulas of a language model's reply as the language reads them, and rejects what the search could not have made itself, what
 * ranks nothing, and what ranks like a metric that is known. Nothing is asked of the model for that. Never throws, whatever the reply.
 */
export function readProposals(reply: string, { count, plan, readFormula, knownAs }: Wanted): ReadReply {
  if (reply.length > MAX_REPLY_LENGTH)
    return { formulas: [], rejected: [{ text: shown(reply), reason: TOO_LONG }], unread: 0 };
  const written = replyFormulas(reply);
  const formulas: ProposedFormula[] = [];
  const rejected: Rejected[] = [];
  const taken = new Map<string, string>();
  let left = written.formulas.length;
  for (const text of written.formulas) {
    if (formulas.length === count || rejected.length === MAX_REJECTED) break;
    left--;
    const read = proposedIn(text, plan, readFormula);
    const reason = typeof read === 'string' ? read : likeKnown(read, taken, knownAs);
    if (typeof read !== 'string' && reason === undefined) {
      taken.set(read.canonical.key, printInfix(read.expression));
      formulas.push(read);
    } else rejected.push({ text: shown(text), reason: reason! });
  }
  return { formulas, rejected, unread: left + written.unread };
}

const TOO_LONG = `the reply has more than ${MAX_REPLY_LENGTH} characters`;

function proposedIn(
  text: string,
  { operands, operations, search }: Wanted['plan'],
  readFormula: ReadFormula,
): ProposedFormula | string {
  const foreign = foreignSpelling(text);
  if (foreign !== undefined) return foreign;
  const read = readFormula(text);
  if ('problem' in read) return `it cannot be read: ${read.problem}`;
  const spelled = spelledWith(read, operations);
  const outside = outsideOf(spelled, operands, operations, search.constants);
  if (outside !== undefined) return outside;
  const expression = cancelled(spelled, alphabetOf({ operands, operations }, search.constants));
  const [size, depth] = [sizeOf(expression), depthOf(expression)];
  if (size > search.size) return `it has ${size} nodes, and ${search.size} are allowed`;
  if (depth > search.depth) return `it is ${depth} deep, and ${search.depth} is allowed`;
  const form = canonical(expression);
  const value = operandsOf(expression).length === 0 ? 0 : (constantValue(expression) ?? constantValue(form.expression));
  return value === undefined
    ? { expression, canonical: form }
    : 'it is the same for every weight, and ranks none of them';
}

function likeKnown(
  { canonical: form }: ProposedFormula,
  taken: ReadonlyMap<string, string>,
  knownAs: Wanted['knownAs'],
): string | undefined {
  const known = taken.get(form.key) ?? knownAs(form);
  return known === undefined ? undefined : `it ranks like ${known}`;
}

/** Spellings that the language has not, each with what to write; what else it has not, it says itself. */
function foreignSpelling(text: string): string | undefined {
  if (text.length > MAX_LINE) return `it has more than ${MAX_LINE} characters`;
  return FOREIGN.find(([spelling]) => spelling.test(text))?.[1];
}

const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/[\\$]/, 'it is LaTeX, and plain text is wanted: W * sqrt(X)'],
  [/\|/, 'bars mean nothing here: the magnitude of x is abs(x)'],
  [/[A-Za-z_)\]]\s{0,9}\.\s{0,9}[A-Za-z_]/, 'it is code of another language: neither methods nor modules are known'],
  [/\[|\{/, 'there are no indices and no braces: operands are whole tensors'],
  [/[√∑‖∥∇∂∥]/, 'operations are written by their names: sqrt(X), not √X'],
];

/** A power that the search has an operation for is that operation: `W ^ 2` is sqr(W), `X ^ 0.5` is sqrt(X). */
function spelledWith(expression: Expression, operations: readonly OperationName[]): Expression {
  if (expression.kind !== 'operation') return expression;
  const args = expression.arguments.map((argument) => spelledWith(argument, operations));
  const [base, exponent] = args;
  if (expression.operation === 'power' && exponent?.kind === 'number') {
    if (exponent.value === 1) return base!;
    const name = (POWERS.get(exponent.value) ?? []).find((one) => operations.includes(one));
    if (name !== undefined) return operation(name, base!);
  }
  return operation(expression.operation, ...args);
}

const POWERS: ReadonlyMap<number, readonly OperationName[]> = new Map([
  [2, ['sqr', 'pow']],
  [0.5, ['sqrt']],
]);

/** What of a tree this search does not make trees of. Where it has constants, a power of a number is one of its operations. */
function outsideOf(
  expression: Expression,
  operands: Wanted['plan']['operands'],
  operations: readonly OperationName[],
  constants: Constants,
): string | undefined {
  const exponents = new Set<Expression>();
  for (const { node } of nodesOf(expression)) {
    if (node.kind === 'number') {
      if (constants === 'all' || (constants === 'exponents' && exponents.has(node))) continue;
      return `it has the number ${node.value}, and this search has ${constants === 'none' ? 'none' : 'exponents alone'}`;
    }
    if (node.kind === 'operand') {
      if (operands.includes(node.name)) continue;
      return `it has ${node.name}, and this search has ${operands.join(', ')}`;
    }
    const [, exponent] = node.arguments;
    const isPower = node.operation === 'power' && exponent?.kind === 'number' && constants !== 'none';
    if (isPower) exponents.add(exponent);
    if (isPower || operations.includes(node.operation)) continue;
    return `it has ${infixSymbol(node.operation) ?? node.operation}, which is none of this search’s operations`;
  }
  return undefined;
}

function shown(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 1)}…` : text;
}
