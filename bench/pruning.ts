import { parseArgs } from 'node:util';
import { parseSparsity } from '../src/experiment/sparsity.ts';
import { runProcess } from './childProcess.ts';
import { runComparison } from './comparison.ts';
import {
  comparePruning,
  measurePruning,
  PRUNED_SHAPES,
  type PrunedShape,
  type PruningJob,
  type PruningTimes,
} from './pruningTimes.ts';
import { rowJson, rowTable } from './report.ts';

const USAGE = `npm run bench:pruning [-- --shape tinyllama|7b] [--sparsity 50%|2:4] [--group row|layer] [--metric PREFIX] [--threads 1] [--rounds 3] [--json]

Seconds of processor, of all threads, that pruning the linear layers of one block takes: of the first, for which programs are compiled and
memory is taken, and of the next; and peak memory. Ours and ONNX Runtime's TopK with ScatterElements in turn, each time in a fresh process.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      shape: { type: 'string', default: '7b' },
      sparsity: { type: 'string', default: '50%' },
      group: { type: 'string', default: 'row' },
      metric: { type: 'string', default: 'mul(W, sqrt(X))' },
      threads: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      child: { type: 'string' },
    },
  });
  if (values.child !== undefined) {
    console.log(JSON.stringify(await measurePruning(JSON.parse(values.child) as PruningJob)));
    return;
  }
  const { shape, group, metric } = values;
  const sparsity = parseSparsity(values.sparsity);
  if (values.help || !sparsity || !isShape(shape) || !isGroup(group)) {
    console.log(USAGE);
    return;
  }
  const job = { shape, sparsity, group, metric, threads: Number(values.threads) };
  const rows = await comparePruning(job, Number(values.rounds), inProcess);
  if (values.json) for (const row of rows) console.log(rowJson(row));
  else console.log(rowTable(rows));
}

async function inProcess(job: PruningJob): Promise<PruningTimes> {
  const { answer } = await runProcess(process.execPath, [process.argv[1]!, '--child', JSON.stringify(job)]);
  return answer as unknown as PruningTimes;
}

function isShape(name: string): name is PrunedShape {
  return name in PRUNED_SHAPES;
}

function isGroup(name: string): name is PruningJob['group'] {
  return name === 'row' || name === 'layer';
}

runComparison(main());
