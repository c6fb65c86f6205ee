/** How the value of an operation relates to its (first) argument; drives canonical form and semantic warnings. */
export interface Operation {
  readonly arity: 1 | 2;
  /** In Pruner-Zero's search space; the others belong to the language alone. */
  readonly searchable: boolean;
  readonly formula: string;
  readonly documentation: string;
  /** Infix symbol, where the language has one. */
  readonly infix?: '+' | '-' | '*' | '/' | '^';
}

export type OperationName = keyof typeof OPERATIONS;

/** The one table of operations (methods.md of the design; Pruner-Zero, Dong et al. 2024, Table 1, with its numerical guards). */
export const OPERATIONS = {
  add: { arity: 2, searchable: true, infix: '+', formula: 'x + y', documentation: 'Sum, elementwise.' },
  sub: { arity: 2, searchable: true, infix: '-', formula: 'x − y', documentation: 'Difference, elementwise.' },
  mul: { arity: 2, searchable: true, infix: '*', formula: 'x · y', documentation: 'Product, elementwise.' },
  div: {
    arity: 2,
    searchable: true,
    formula: 'x / ‖y‖₂',
    documentation:
      'x divided by the Frobenius norm of the whole of y, after both are broadcast to their common shape. For elementwise division write `/`.',
  },
  quotient: { arity: 2, searchable: false, infix: '/', formula: 'x / y', documentation: 'Quotient, elementwise.' },
  power: { arity: 2, searchable: false, infix: '^', formula: 'x^y', documentation: 'Power, elementwise.' },
  sqr: { arity: 1, searchable: true, formula: 'x²', documentation: 'Square.' },
  pow: { arity: 1, searchable: true, formula: 'x²', documentation: 'Square (Pruner-Zero’s name for it).' },
  neg: { arity: 1, searchable: true, formula: '−x', documentation: 'Negation.' },
  abs: { arity: 1, searchable: true, formula: '|x|', documentation: 'Absolute value.' },
  tanh: { arity: 1, searchable: true, formula: 'tanh x', documentation: 'Hyperbolic tangent.' },
  skp: { arity: 1, searchable: true, formula: 'x', documentation: 'Skip: the value itself.' },
  log: { arity: 1, searchable: true, formula: 'ln(|x| + 0.001)', documentation: 'Guarded natural logarithm.' },
  exp: { arity: 1, searchable: true, formula: 'exp(min(x, 100))', documentation: 'Guarded exponential.' },
  sqrt: { arity: 1, searchable: true, formula: 'sqrt(|x|)', documentation: 'Guarded square root.' },
  mms: {
    arity: 1,
    searchable: true,
    formula: '(x − min x) / (max x − min x)',
    documentation: 'Min-max scaling over the whole tensor.',
  },
  zsn: {
    arity: 1,
    searchable: true,
    formula: '(x − mean x) / std x',
    documentation: 'Z-score over the whole tensor (unbiased standard deviation).',
  },
} as const satisfies Record<string, Operation>;
