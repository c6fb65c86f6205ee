/** One operation of a metric: what the checks, the printers, hover, completion and the canonical form know about it. */
export interface Operation {
  readonly arity: 1 | 2;
  /** In Pruner-Zero's search space; the others belong to the language alone. */
  readonly searchable: boolean;
  /** Infix symbol, where the language has one. */
  readonly infix?: '+' | '-' | '*' | '/' | '^';
  readonly formula: string;
  readonly documentation: string;
  /**
   * What one value of the result depends on: the argument's value at the same place, or the whole tensor of an argument
   * (then that argument has to be a tensor: a single number has no deviation).
   */
  readonly reach: 'element' | 'tensor';
  /** When every value of the result is known to be ≥ 0. */
  readonly nonNegative: 'always' | 'if-all-arguments' | 'if-first-argument' | 'unknown';
  /** Where the result grows strictly with a single argument (exact arithmetic), so that it keeps the order of the values. */
  readonly increasing: 'everywhere' | 'on-non-negative' | 'no';
}

export type OperationName = keyof typeof OPERATIONS;

/** The one table of operations (Pruner-Zero, Dong et al. 2024, Table 1, with its numerical guards; the last two of infix are ours). */
export const OPERATIONS = {
  add: {
    arity: 2,
    searchable: true,
    infix: '+',
    formula: 'x + y',
    documentation: 'Sum, elementwise.',
    reach: 'element',
    nonNegative: 'if-all-arguments',
    increasing: 'no',
  },
  sub: {
    arity: 2,
    searchable: true,
    infix: '-',
    formula: 'x − y',
    documentation: 'Difference, elementwise.',
    reach: 'element',
    nonNegative: 'unknown',
    increasing: 'no',
  },
  mul: {
    arity: 2,
    searchable: true,
    infix: '*',
    formula: 'x · y',
    documentation: 'Product, elementwise.',
    reach: 'element',
    nonNegative: 'if-all-arguments',
    increasing: 'no',
  },
  div: {
    arity: 2,
    searchable: true,
    formula: 'x / ‖y‖₂',
    documentation:
      'x divided by the Frobenius norm of the whole of y, after both are broadcast to their common shape. For elementwise division write `/`.',
    reach: 'tensor',
    nonNegative: 'if-first-argument',
    increasing: 'no',
  },
  quotient: {
    arity: 2,
    searchable: false,
    infix: '/',
    formula: 'x / y',
    documentation: 'Quotient, elementwise.',
    reach: 'element',
    nonNegative: 'if-all-arguments',
    increasing: 'no',
  },
  power: {
    arity: 2,
    searchable: false,
    infix: '^',
    formula: 'x^y',
    documentation: 'Power, elementwise.',
    reach: 'element',
    nonNegative: 'if-first-argument',
    increasing: 'no',
  },
  sqr: {
    arity: 1,
    searchable: true,
    formula: 'x²',
    documentation: 'Square.',
    reach: 'element',
    nonNegative: 'always',
    increasing: 'on-non-negative',
  },
  pow: {
    arity: 1,
    searchable: true,
    formula: 'x²',
    documentation: 'Square (Pruner-Zero’s name for it).',
    reach: 'element',
    nonNegative: 'always',
    increasing: 'on-non-negative',
  },
  neg: {
    arity: 1,
    searchable: true,
    formula: '−x',
    documentation: 'Negation.',
    reach: 'element',
    nonNegative: 'unknown',
    increasing: 'no',
  },
  abs: {
    arity: 1,
    searchable: true,
    formula: '|x|',
    documentation: 'Absolute value.',
    reach: 'element',
    nonNegative: 'always',
    increasing: 'on-non-negative',
  },
  tanh: {
    arity: 1,
    searchable: true,
    formula: 'tanh x',
    documentation: 'Hyperbolic tangent.',
    reach: 'element',
    nonNegative: 'if-first-argument',
    increasing: 'everywhere',
  },
  skp: {
    arity: 1,
    searchable: true,
    formula: 'x',
    documentation: 'Skip: the value itself.',
    reach: 'element',
    nonNegative: 'if-first-argument',
    increasing: 'everywhere',
  },
  log: {
    arity: 1,
    searchable: true,
    formula: 'ln(|x| + 0.001)',
    documentation: 'Guarded natural logarithm.',
    reach: 'element',
    nonNegative: 'unknown',
    increasing: 'on-non-negative',
  },
  exp: {
    arity: 1,
    searchable: true,
    formula: 'exp(min(x, 100))',
    documentation: 'Guarded exponential.',
    reach: 'element',
    nonNegative: 'always',
    increasing: 'everywhere',
  },
  sqrt: {
    arity: 1,
    searchable: true,
    formula: 'sqrt(|x|)',
    documentation: 'Guarded square root.',
    reach: 'element',
    nonNegative: 'always',
    increasing: 'on-non-negative',
  },
  mms: {
    arity: 1,
    searchable: true,
    formula: '(x − min x) / (max x − min x)',
    documentation: 'Min-max scaling over the whole tensor.',
    reach: 'tensor',
    nonNegative: 'always',
    increasing: 'everywhere',
  },
  zsn: {
    arity: 1,
    searchable: true,
    formula: '(x − mean x) / std x',
    documentation: 'Z-score over the whole tensor (unbiased standard deviation).',
    reach: 'tensor',
    nonNegative: 'unknown',
    increasing: 'everywhere',
  },
} as const satisfies Record<string, Operation>;

export const OPERATION_NAMES = Object.keys(OPERATIONS) as readonly OperationName[];

export function isOperationName(name: string): name is OperationName {
  return Object.hasOwn(OPERATIONS, name);
}
