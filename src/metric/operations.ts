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
    increasing: 'no',
  },
  sub: {
    arity: 2,
    searchable: true,
    infix: '-',
    formula: 'x − y',
    documentation: 'Difference, elementwise.',
    reach: 'element',
    increasing: 'no',
  },
  mul: {
    arity: 2,
    searchable: true,
    infix: '*',
    formula: 'x · y',
    documentation: 'Product, elementwise.',
    reach: 'element',
    increasing: 'no',
  },
  div: {
    arity: 2,
    searchable: true,
    formula: 'x / ‖y‖₂',
    documentation:
      'x divided by the Frobenius norm of the whole of y, after both are broadcast to their common shape. For elementwise division write `/`.',
    reach: 'tensor',
    increasing: 'no',
  },
  quotient: {
    arity: 2,
    searchable: false,
    infix: '/',
    formula: 'x / y',
    documentation: 'Quotient, elementwise.',
    reach: 'element',
    increasing: 'no',
  },
  power: {
    arity: 2,
    searchable: false,
    infix: '^',
    formula: 'x^y',
    documentation: 'Power, elementwise.',
    reach: 'element',
    increasing: 'no',
  },
  sqr: {
    arity: 1,
    searchable: true,
    formula: 'x²',
    documentation: 'Square.',
    reach: 'element',
    increasing: 'on-non-negative',
  },
  pow: {
    arity: 1,
    searchable: true,
    formula: 'x²',
    documentation: 'Square (Pruner-Zero’s name for it).',
    reach: 'element',
    increasing: 'on-non-negative',
  },
  neg: {
    arity: 1,
    searchable: true,
    formula: '−x',
    documentation: 'Negation.',
    reach: 'element',
    increasing: 'no',
  },
  abs: {
    arity: 1,
    searchable: true,
    formula: '|x|',
    documentation: 'Absolute value.',
    reach: 'element',
    increasing: 'on-non-negative',
  },
  tanh: {
    arity: 1,
    searchable: true,
    formula: 'tanh x',
    documentation: 'Hyperbolic tangent.',
    reach: 'element',
    increasing: 'everywhere',
  },
  skp: {
    arity: 1,
    searchable: true,
    formula: 'x',
    documentation: 'Skip: the value itself.',
    reach: 'element',
    increasing: 'everywhere',
  },
  log: {
    arity: 1,
    searchable: true,
    formula: 'ln(|x| + 0.001)',
    documentation: 'Guarded natural logarithm.',
    reach: 'element',
    increasing: 'on-non-negative',
  },
  exp: {
    arity: 1,
    searchable: true,
    formula: 'exp(min(x, 100))',
    documentation: 'Guarded exponential.',
    reach: 'element',
    increasing: 'everywhere',
  },
  sqrt: {
    arity: 1,
    searchable: true,
    formula: 'sqrt(|x|)',
    documentation: 'Guarded square root.',
    reach: 'element',
    increasing: 'on-non-negative',
  },
  mms: {
    arity: 1,
    searchable: true,
    formula: '(x − min x) / (max x − min x)',
    documentation: 'Min-max scaling over the whole tensor.',
    reach: 'tensor',
    increasing: 'everywhere',
  },
  zsn: {
    arity: 1,
    searchable: true,
    formula: '(x − mean x) / std x',
    documentation: 'Z-score over the whole tensor (unbiased standard deviation).',
    reach: 'tensor',
    increasing: 'everywhere',
  },
} as const satisfies Record<string, Operation>;

export const OPERATION_NAMES = Object.keys(OPERATIONS) as readonly OperationName[];

export function isOperationName(name: string): name is OperationName {
  return NAMES.has(name);
}

/** As for operands. */
const NAMES: ReadonlySet<string> = new Set(OPERATION_NAMES);
