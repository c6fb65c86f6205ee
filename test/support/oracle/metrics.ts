/**
 * Metrics in prefix form that together use every operation of Pruner-Zero's set, without saturating in float32: what saturates
 * makes ties that float64 does not have.
 */
export const METRICS = {
  magnitude: 'W',
  wanda: 'mul(W, sqrt(X))',
  scaled: 'sub(zsn(mul(W, sqrt(X))), neg(mms(log(W))))',
  mixed: 'mul(abs(pow(W)), add(exp(tanh(W)), div(sqr(X), skp(W))))',
} as const;

/** Metrics of the gradient: Pruner-Zero's published one, and one that needs all three operands. */
export const GRADIENT_METRICS = {
  prunerZero: 'mul(abs(mul(W, W)), mms(G))',
  taylor: 'add(mul(W, G), div(sqrt(X), exp(tanh(G))))',
} as const;

/** What the language has beyond Pruner-Zero, and the reference does not: elementwise `/` and `^`, and more operands. */
export const LANGUAGE_METRICS = {
  elementwise: 'quotient(power(W, 1.5), add(power(X, 0.25), 0.5))',
  operands: 'add(mul(abs(Wsigned), Xmax), mul(mul(sqr(Wsigned), Xabs), add(sqrt(Xvar), abs(Xmean))))',
} as const;
