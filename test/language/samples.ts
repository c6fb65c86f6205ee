/** A file with everything that the language has. */
export const SAMPLE = `// What is pruned, and on what.
model  tiny  = "models/tiny"
corpus test  = "data/test.txt"
corpus calib = "/data/calib.txt"

defaults { calibrate: calib (samples: 16, length: 256, offsets: even, seed: 3) device: cpu }

parameter half = 1 / 2

/// Weight magnitude times input norm (Wanda)
metric wanda = W * sqrt(X)
/// Has a parameter.
///
/// Larger \`alpha\`: inputs count more.
metric scaled(alpha = half, beta = 1) = beta * W * X ^ alpha
metric pruner_zero = abs(W * W) * mms(G)
metric mixed = wanda + scaled(beta: 2) - (Wsigned - Xmean) / (1 + tanh(Xvar))

/// Everything at three sparsities
experiment halves {
  model: tiny   evaluate: test (blocks: 64)
  prune: wanda, scaled(0.3), scaled(alpha: 0.7), abs(W)
  at: 50%, 2:4, 0.25
  group: layer
  calibration: one-shot
}

experiment dense { model: tiny evaluate: "other.txt" length: 512 }

search evolved {
  model: tiny evaluate: test at: 60% test: "unseen.txt"
  operands: W, X, G   operations: mul, abs, sqrt
  from: wanda, scaled(2)   baselines: wanda
  method: pruner-zero population: 20 seed: 4 mutation: 30%
}
`;
