import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createEngine } from '../src/engine/engine.ts';
import type { SpeedReport } from '../src/experiment/exportSchema.ts';
import { formatBytes, formatCount } from '../src/experiment/format.ts';
import type { EvaluationPlan } from '../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../src/experiment/settings.ts';
import { UNIFORM } from '../src/experiment/structure.ts';
import { startFreshEngine } from '../src/protocol/freshEngine.ts';
import { forkWorker } from '../src/protocol/workerProcess.ts';
import { generateModel } from './generatedModel.ts';

const USAGE = `npm run bench:speed [-- --rounds 9] [--threads N] [--batch 4] [--length 256] [--json]

Removes heads and channels of a generated 110M-parameter LLaMA shape at 20, 30, 40 and 50 %, each exported and read back, and
measures prefill and decode of the dense model and of the four in turn. The bar: 1.6 times as fast at 50 %.`;

const RATES = [0.2, 0.3, 0.4, 0.5];
const BAR = 1.6;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    threads: { type: 'string', default: '0' },
    batch: { type: 'string', default: '4' },
    length: { type: 'string', default: '256' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const [rounds, threads, batch, length] = [options.rounds, options.threads, options.batch, options.length].map(Number);
  const worker = fileURLToPath(new URL('worker.cjs', import.meta.url));
  const log = (line: string): void => {
    console.error(line);
  };
  const engine = createEngine({ startFresh: () => startFreshEngine(forkWorker({ file: worker, log }), log) });
  const model = await generateModel();
  const root = await mkdtemp(join(tmpdir(), 'espalier-bench-'));
  try {
    const folders = [model.folder];
    for (const share of RATES) {
      const folder = join(root, `${share * 100}`);
      const plan: EvaluationPlan = {
        model: model.folder,
        text: model.text,
        evaluations: [
          {
            metric: 'magnitude',
            structure: { kind: 'scored', score: { kind: 'method', method: 'magnitude' }, rates: UNIFORM },
            sparsity: { kind: 'unstructured', share },
          },
        ],
        settings: { ...DEFAULT_SETTINGS, device: 'cpu', length: 128, blocks: 1, threads: threads! },
      };
      const { parameters, verification } = await engine.exportModel(plan, { folder, format: 'huggingface' });
      log(
        `bench: removed ${share * 100} %: ${formatCount(parameters.exported)} parameters, logits differ by ${verification.difference.toExponential(1)}`,
      );
      folders.push(folder);
    }
    const settings = { device: 'cpu', precision: 'float32', threads: threads! } as const;
    const plan = { models: folders, batch: batch!, length: length!, rounds: rounds!, settings };
    const reports = await engine.measureSpeed(plan, {
      onProgress: ({ detail, done, total }) => {
        if (done % folders.length === 0) log(`bench: ${detail} (${done} of ${total})`);
      },
    });
    const names = ['dense', ...RATES.map((rate) => `${rate * 100} %`)];
    if (options.json)
      for (const [i, report] of reports.entries()) console.log(JSON.stringify({ ...report, model: names[i] }));
    else console.log(table(names, reports));
    const reached = reports.at(-1)!.speedUp;
    log(`bench: at 50 % ${reached.toFixed(2)} × as fast, bar ${BAR} ×: ${reached >= BAR ? 'pass' : 'miss'}`);
  } finally {
    await engine.dispose();
    await rm(model.folder, { recursive: true });
    await rm(root, { recursive: true });
  }
}

function table(names: readonly string[], reports: readonly SpeedReport[]): string {
  const rows = reports.map(
    ({ parameters, bytes, peakMemory, tokensPerSecond: { median, lowest, highest }, speedUp, decode }, i) =>
      [
        names[i]!.padEnd(7),
        formatCount(parameters).padStart(10),
        formatBytes(bytes).padStart(8),
        formatBytes(peakMemory).padStart(8),
        median.toFixed(0).padStart(8),
        `${lowest.toFixed(0)}–${highest.toFixed(0)}`.padStart(13),
        `${speedUp.toFixed(2)} ×`.padStart(8),
        decode.tokensPerSecond.median.toFixed(1).padStart(8),
        `${decode.speedUp.toFixed(2)} ×`.padStart(8),
      ].join('  '),
  );
  return [
    'removed  parameters   on disk    memory  tokens/s         spread     speed  decode/s     speed',
    ...rows,
  ].join('\n');
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
});
