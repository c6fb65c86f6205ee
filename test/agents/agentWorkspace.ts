import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Journal } from '../../src/runs/journal.ts';
import { createRun, JOURNAL_FILE, runName } from '../../src/runs/runFolder.ts';
import { syntheticProposingPlan, syntheticSearch } from '../support/syntheticSearch.ts';

/** A workspace as a person has one, and what lies beside it, which an agent must not see. */
export interface AgentWorkspace {
  readonly root: string;
  /** Id of a finished search in which a language model proposes. */
  readonly run: string;
  /** A file outside, and what stands in it. */
  readonly beside: string;
  remove(): Promise<void>;
}

export const SECRET = 'sk-live-0123456789abcdef';
export const FILE = `model stories = "model"
corpus test = "model/test.txt"
corpus calib = "model/calibration.txt"

defaults {
  model: stories
  evaluate: test (blocks: 2, length: 64)
  calibrate: calib (samples: 2)
  device: cpu
  threads: 1
}

metric wanda = W * sqrt(X)

experiment halves {
  prune: wanda
  at: 50%
}
`;

export async function agentWorkspace(): Promise<AgentWorkspace> {
  const folder = await mkdtemp(path.join(tmpdir(), 'espalier-agents-'));
  const root = path.join(folder, 'workspace');
  await mkdir(root);
  await cp(path.resolve(import.meta.dirname, '../../media/sample'), path.join(root, 'model'), { recursive: true });
  await rm(path.join(root, 'model/metrics.prune'));
  await writeFile(path.join(root, 'metrics.prune'), FILE);
  const beside = path.join(folder, 'beside.prune');
  await writeFile(beside, `// ${SECRET}\n`);
  const plan = syntheticProposingPlan({ population: 12, generations: 3 });
  const run = await createRun(plan, {
    root,
    document: path.join(root, 'metrics.prune'),
    createdAt: new Date(1763804575000),
    versions: { espalier: '0.1.0' },
  });
  const { journal } = await Journal.open(path.join(run.folder, JOURNAL_FILE), run.record, { now: () => 7 });
  await journal.append(syntheticSearch(plan).map(({ event }) => event));
  await journal.close();
  return { root, run: runName(run), beside, remove: () => rm(folder, { recursive: true }) };
}
