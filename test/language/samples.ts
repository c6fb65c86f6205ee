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

/// Whole heads and channels
experiment heads {
  model: tiny   evaluate: test
  prune: wanda, structure(wanda-sp), structure(mixed, rates: owl), structure(score: flap, rates: global),
    structure(W * sqrt(X), owl(multiple: 7, spread: 0.1)), weights(wanda, [40%, 0.2])
  at: 20%, 30%
}

search rates {
  method: self-pruner model: tiny evaluate: test at: 30% test: "unseen.txt"
  target: weights(wanda) baselines: uniform, owl(spread: 0.1), [0.2, 40%]
  population: 8 step: 5% provider: openai endpoint: "http://localhost:11434/v1" llm: "qwen3:8b" initialise: classical
}

search layers {
  method: evopress model: tiny evaluate: test at: 30% drop: sublayers
  offspring: 16 rounds: [1, 8, 2 * 16] survivors: [4, 2, 1] starts: 20
}

search masks {
  model: tiny evaluate: test at: 30% score: wanda-sp
  baselines: wanda-sp, mixed, structure(flap, global)
  method: policy-gradient steps: 100 components: heads-channels-layers initial: metric seed: 2
}

corpus c4 = "data/c4.json.gz" (field: "text", join: space, first: 11 * 100)
metric magnitude = W (group: layer)

experiment table {
  protocol: pruner-zero model: tiny   evaluate: c4 (join: blank-line)
  gradients: "data/train.txt" (samples: 8, offsets: documents-once, rows: wikitext)
  prune: magnitude, wanda (group: layer), weights(pruner_zero (group: layer), [20%, 40%]) at: 30%
}
`;
