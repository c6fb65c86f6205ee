import { measureBackward, measureGrowth } from './backwardPass.ts';
import { type BackwardJob, backwardRows } from './backwardRows.ts';
import { type Comparison, readComparison, runComparison } from './comparison.ts';
import { rowJson, rowTable } from './report.ts';

const USAGE = `npm run bench:backward [-- --rounds 5] [--threads 1] [--json]

Seconds of processor of the pass back, in those of a forward pass over the same tokens with the head's losses, at the shapes of the reference
checkpoint, of a LLaMA of 110M, and of one block of TinyLlama (2048 tokens): G of every linear layer, all samples apart. Beside it PyTorch's
autograd at the same shapes, where the peer is. Then how time grows with samples and with layers. Random weights; the bar is 3.5.`;

async function answerChild(text: string): Promise<void> {
  const job = JSON.parse(text) as BackwardJob;
  const answer =
    job.kind === 'pass'
      ? await measureBackward(job.shape, job.threads)
      : { exponent: await measureGrowth(job.of, job.threads) };
  console.log(JSON.stringify(answer));
}

async function main({ rounds, threads, json }: Comparison): Promise<void> {
  const rows = await backwardRows(rounds, threads, (line) => {
    console.error(`bench: ${line}`);
  });
  console.log(json ? rows.map(rowJson).join('\n') : rowTable(rows));
}

const comparison = readComparison(USAGE);
runComparison(comparison.child === undefined ? main(comparison) : answerChild(comparison.child));
