/** What a terminal of a metric can be. `row` is one row [1, in], broadcast over the output rows; `matrix` is [out, in]. */
export interface Operand {
  readonly shape: 'matrix' | 'row';
  /** Whether every value is known to be ≥ 0. */
  readonly nonNegative: boolean;
  /** What has to be collected from the model before it can be evaluated; empty where the weights are enough. */
  readonly needs: readonly OperandStatistic[];
  readonly formula: string;
  readonly documentation: string;
}

/**
 * A statistic of a linear layer's inputs over all calibration tokens, per input feature j; their number; or the gradient of
 * the loss with respect to the layer's weight.
 */
export type OperandStatistic =
  'sum-of-squares' | 'sum-of-absolutes' | 'maximum-absolute' | 'sum' | 'token-count' | 'gradient';

export type OperandName = keyof typeof OPERANDS;

/** The one table of operands. W, X and G are Pruner-Zero's (Dong et al. 2024, section 3); n is the number of samples, T of tokens. */
export const OPERANDS = {
  W: {
    shape: 'matrix',
    nonNegative: true,
    needs: [],
    formula: '|w_ij|',
    documentation: 'Magnitude of the weight (Pruner-Zero takes the absolute value before the metric sees it).',
  },
  Wsigned: {
    shape: 'matrix',
    nonNegative: false,
    needs: [],
    formula: 'w_ij',
    documentation: 'The weight with its sign.',
  },
  X: {
    shape: 'row',
    nonNegative: true,
    needs: ['sum-of-squares'],
    formula: '(1/n) · Σ_samples Σ_t x_tj²',
    documentation:
      'Squared L2 norm of input feature j over the tokens of a calibration sample, averaged over the samples (Wanda’s `scaler_row`).',
  },
  Xabs: {
    shape: 'row',
    nonNegative: true,
    needs: ['sum-of-absolutes', 'token-count'],
    formula: '(1/T) · Σ_t |x_tj|',
    documentation: 'Mean magnitude of input feature j over all calibration tokens.',
  },
  Xmax: {
    shape: 'row',
    nonNegative: true,
    needs: ['maximum-absolute'],
    formula: 'max_t |x_tj|',
    documentation: 'Largest magnitude of input feature j over all calibration tokens.',
  },
  Xmean: {
    shape: 'row',
    nonNegative: false,
    needs: ['sum', 'token-count'],
    formula: '(1/T) · Σ_t x_tj',
    documentation: 'Mean of input feature j over all calibration tokens.',
  },
  Xvar: {
    shape: 'row',
    nonNegative: true,
    needs: ['sum', 'sum-of-squares', 'token-count'],
    formula: '(1/T) · Σ_t x_tj² − ((1/T) · Σ_t x_tj)²',
    documentation: 'Variance of input feature j over all calibration tokens (divided by T, not T − 1).',
  },
  G: {
    shape: 'matrix',
    nonNegative: true,
    needs: ['gradient'],
    formula: 'sqrt( Σ_samples (100 · ∂L_s/∂w_ij)² )',
    documentation:
      'Gradient of each calibration sample’s mean next-token cross-entropy with respect to the weight, root of the sum of squares over the samples (dense model).',
  },
} as const satisfies Record<string, Operand>;

export const OPERAND_NAMES = Object.keys(OPERANDS) as readonly OperandName[];

export function isOperandName(name: string): name is OperandName {
  return NAMES.has(name);
}

/** Asked of every name of a file at each keystroke: an object would look each up in the table of all strings first. */
const NAMES: ReadonlySet<string> = new Set(OPERAND_NAMES);
