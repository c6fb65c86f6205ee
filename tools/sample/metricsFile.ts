/** metrics.prune of the sample: a first file to read, to evaluate and to change. */
export const METRICS_FILE = `// A small language model that writes short stories, and formulas that say which of its weights can go.
// Evaluate one with the lens above it, or everything with: espalier evaluate metrics.prune

model  stories = "."
corpus calib   = "calibration.txt"
corpus test    = "test.txt"

defaults {
  model: stories
  evaluate: test (blocks: 64, length: 256)
  calibrate: calib (samples: 64)
}

/// Small weights go first. It needs no data, and knows nothing of what a weight is multiplied with.
/// Papers compare it over the whole matrix (group: layer); here each row is a group of its own, as for Wanda.
metric magnitude = W

/// Weight times the size of the input that it sees (Wanda)
metric wanda = W * sqrt(X)

/// What the loss changes by when a weight is set to zero, to first order
metric taylor = W * G

/// Found by genetic programming on a large model (Pruner-Zero)
metric pruner_zero = abs(W * W) * mms(G)

/// Between magnitude (alpha = 0) and Wanda (alpha = 0.5), and beyond
metric scaled(alpha = 0.5) = W * X ^ alpha

/// Half of the weights of every row: which ones matters
experiment halves {
  prune: magnitude, wanda, taylor, pruner_zero, scaled(alpha: 0.25)
  at: 50%
}

/// Where little is left over, metrics part further
experiment harder {
  prune: magnitude, wanda, taylor, pruner_zero
  at: 60%
}

/// Two of every four neighbours stay: a pattern that some GPUs multiply faster
experiment pattern {
  prune: magnitude, wanda, pruner_zero
  at: 2:4
}

/// Whole heads and channels go, and what is left is a smaller model: scored as published (Wanda-sp), with blocks that lose
/// different shares (OWL), or by a formula from above
experiment smaller {
  prune: structure(wanda-sp), structure(wanda-sp, owl), structure(pruner_zero)
  at: 20%
}

/// A minute of genetic programming, from random formulas. It never sees the text of \`test\`.
search evolved {
  evaluate: calib (blocks: 32, length: 256)
  test: test
  at: 50%
  method: pruner-zero
  population: 30
  generations: 12
  seed: 1
}

/// A minute of Self-Pruner: how much of each block goes, so that less is lost than where all blocks lose the same. Classical
/// operators propose it; with \`provider: openai\` a language model does.
search rates {
  method: self-pruner
  evaluate: calib (blocks: 32, length: 256)
  test: test
  at: 20%
  population: 12
  mutations: 6
  crossovers: 6
  generations: 6
  seed: 1
}
`;
