/** What a terminal of a metric can be. `rows: 1` means that the operand is one row, broadcast over the output rows. */
export interface Operand {
  readonly shape: 'matrix' | 'row';
  /** Whether every value is known to be ≥ 0. */
  readonly nonNegative: boolean;
  /** What has to be collected from the model before it can be evaluated. */
  readonly needs: 'nothing' | OperandStatistic;
  readonly formula: string;
  readonly documentation: string;
}

/** A statistic of a linear layer's inputs over the calibration tokens, per input feature j; or the gradient. */
export type OperandStatistic = 'sum-of-squares' | 'sum-of-absolutes' | 'maximum-absolute' | 'sum' | 'gradient';

export type OperandName = keyof typeof OPERANDS;

export const OPERANDS = {
  W: {
    shape: 'matrix',
    nonNegative: true,
    needs: 'nothing',
    formula: '|w_ij|',
    documentation: 'Magnitude of the weight (Pruner-Zero takes the absolute value before the metric sees it).',
  },
  X: {
    shape: 'row',
    nonNegative: true,
    needs: 'sum-of-squares',
    formula: '(1/n) · Σ_samples Σ_t x_tj²',
    documentation:
      'Squared L2 norm of input feature j over the tokens of a calibration sample, averaged over the samples (Wanda’s `scaler_row`).',
  },
  G: {
    shape: 'matrix',
    nonNegative: true,
    needs: 'gradient',
    formula: 'sqrt( Σ_samples (100 · ∂L_s/∂w_ij)² )',
    documentation:
      'Gradient of each calibration sample’s mean next-token cross-entropy with respect to the weight, root of the sum of squares over the samples (dense model).',
  },
} as const satisfies Record<string, Operand>;
