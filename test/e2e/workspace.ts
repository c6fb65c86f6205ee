import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The file that most stories act on. Texts are short and blocks few: what is tested is not the speed. */
export const METRICS = `model  tiny  = "models/tiny"
corpus test  = "data/test.txt"
corpus calib = "data/valid.txt"

/// Weight magnitude times input norm (Wanda)
metric wanda = W * sqrt(X)

metric magnitude = W

experiment halves {
  model: tiny
  evaluate: test (length: 128, blocks: 16)
  calibrate: calib (samples: 8, seed: 0)
  prune: wanda, magnitude
  at: 50%
}
`;

/** Takes long enough to be looked at, cancelled and killed. */
export const LONG = `model  tiny  = "models/tiny"
corpus whole = "data/whole.txt"

metric slow = sqr(W) * X

experiment long {
  model: tiny
  evaluate: whole (length: 256)
  calibrate: whole (samples: 64)
  prune: slow
  at: 50%, 2:4, 4:8
}
`;

/** Names a checkpoint that is not there. */
export const BROKEN = `corpus test = "data/test.txt"

metric lost = W

experiment nowhere {
  model: "models/missing"
  evaluate: test (length: 128, blocks: 4)
  calibrate: "data/valid.txt"
  prune: lost
  at: 50%
}
`;

/** Metrics whose trees are looked at. */
export const TREES = `model  tiny  = "models/tiny"
corpus test  = "data/test.txt"
corpus calib = "data/valid.txt"

parameter half = 0.5

metric energy = abs(W * W) * mms(X)

/// Made to be looked at
metric mine = mms(energy + tanh(W * X ^ half))

metric wild = W / (W - abs(Wsigned)) + exp(X)

experiment trees {
  model: tiny
  evaluate: test (length: 128, blocks: 4)
  calibrate: calib (samples: 8, seed: 0)
  prune: energy, mine
  at: 50%
}
`;

/** A folder as a researcher has it: a checkpoint, texts, and files of metrics. The checkpoint is a link, the texts are excerpts. */
export function makeWorkspace(folder: string, shared: string): void {
  rmSync(folder, { recursive: true, force: true });
  for (const part of ['models', 'data']) mkdirSync(path.join(folder, part), { recursive: true });
  symlinkSync(path.join(shared, 'models/wikitext-llama-6m'), path.join(folder, 'models/tiny'));
  const corpus = (name: string): string => readFileSync(path.join(shared, 'data/wikitext-2', name), 'utf8');
  writeFileSync(path.join(folder, 'data/test.txt'), corpus('wiki.test.raw').slice(0, 60_000));
  writeFileSync(path.join(folder, 'data/valid.txt'), corpus('valid.txt').slice(0, 60_000));
  writeFileSync(path.join(folder, 'data/whole.txt'), corpus('wiki.test.raw').slice(0, 400_000));
  writeFileSync(path.join(folder, 'metrics.prune'), METRICS);
  writeFileSync(path.join(folder, 'trees.prune'), TREES);
  writeFileSync(path.join(folder, 'long.prune'), LONG);
  writeFileSync(path.join(folder, 'broken.prune'), BROKEN);
}
