import type { Expression } from '../../metric/expression.ts';
import type { OperandName } from '../../metric/operands.ts';
import type { OperationName } from '../../metric/operations.ts';

/** A metric in math mode, from its tree: `W \cdot \sqrt{X}`. What its symbols mean is said below the table that it stands in. */
export function latexFormula(expression: Expression): string {
  return spelled(expression, LOWEST);
}

/** How tightly a spelling binds, and how tight what stands inside has to be. */
const LOWEST = 0;
const SUM = 1;
const PRODUCT = 2;
const POWER = 4;
const ATOM = 5;

type Spelling = readonly [latex: string, binds: number];

function spelled(expression: Expression, required: number): string {
  const [latex, binds] = spell(expression);
  return binds < required ? `\\left(${latex}\\right)` : latex;
}

function spell(expression: Expression): Spelling {
  if (expression.kind === 'operand') return [OPERANDS[expression.name], ATOM];
  if (expression.kind === 'number') return latexNumber(expression.value);
  const [first, second = first!] = expression.arguments;
  return OPERATIONS[expression.operation](first!, second);
}

function latexNumber(value: number): Spelling {
  const [digits, exponent] = String(value).split('e');
  const binds = value < 0 ? SUM : exponent === undefined ? ATOM : PRODUCT;
  return [exponent === undefined ? digits! : `${digits!} \\times 10^{${Number(exponent)}}`, binds];
}

const OPERANDS: Readonly<Record<OperandName, string>> = {
  W: 'W',
  Wsigned: 'W_{\\pm}',
  X: 'X',
  Xabs: 'X_{\\mathrm{abs}}',
  Xmax: 'X_{\\max}',
  Xmean: 'X_{\\mathrm{mean}}',
  Xvar: 'X_{\\mathrm{var}}',
  G: 'G',
};

const between = (a: Expression, sign: string, b: Expression, binds: number): Spelling => [
  `${spelled(a, binds)} ${sign} ${spelled(b, binds + 1)}`,
  binds,
];
const called = (name: string, a: Expression): Spelling => [`${name}\\left(${spelled(a, LOWEST)}\\right)`, ATOM];
const raised = (a: Expression, exponent: string): Spelling => [`${spelled(a, ATOM)}^{${exponent}}`, POWER];

const OPERATIONS: Readonly<Record<OperationName, (a: Expression, b: Expression) => Spelling>> = {
  add: (a, b) => between(a, '+', b, SUM),
  sub: (a, b) => between(a, '-', b, SUM),
  mul: (a, b) => between(a, '\\cdot', b, PRODUCT),
  div: (a, b) => [`\\frac{${spelled(a, LOWEST)}}{\\left\\Vert ${spelled(b, LOWEST)} \\right\\Vert_{2}}`, ATOM],
  quotient: (a, b) => [`\\frac{${spelled(a, LOWEST)}}{${spelled(b, LOWEST)}}`, ATOM],
  power: (a, b) => raised(a, spelled(b, LOWEST)),
  sqr: (a) => raised(a, '2'),
  pow: (a) => raised(a, '2'),
  neg: (a) => [`-${spelled(a, PRODUCT)}`, SUM],
  abs: (a) => [`\\left|${spelled(a, LOWEST)}\\right|`, ATOM],
  tanh: (a) => called('\\tanh', a),
  skp: (a) => called('\\mathrm{skp}', a),
  log: (a) => called('\\log', a),
  exp: (a) => called('\\exp', a),
  sqrt: (a) => [`\\sqrt{${spelled(a, LOWEST)}}`, ATOM],
  mms: (a) => called('\\mathrm{mms}', a),
  zsn: (a) => called('\\mathrm{zsn}', a),
};
