/**
 * A block by the length of its text, there and back, each in a process of its own: seconds of processor, peak memory, and with what power of the length
 * they grow. `npm run bench:attention -- [--shape small|tinyllama] [--length N]… [--window N] [--way forward|backward] [--threads N] [--rounds N] [--json]`.
 */
import { parseArgs } from 'node:util';
import { type BlockMeasure, type BlockRun, exponent, measureApart, measureBlock, SHAPE_NAMES } from './blockLengths.ts';

const LENGTHS = { small: [2048, 4096, 8192, 16_384], tinyllama: [256, 512, 1024, 2048] } as const;
const WAYS = ['forward', 'backward'] as const;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      shape: { type: 'string', default: 'small' },
      length: { type: 'string', multiple: true },
      window: { type: 'string' },
      way: { type: 'string' },
      threads: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      run: { type: 'string' },
    },
  });
  if (values.run !== undefined) {
    console.log(JSON.stringify(await measureBlock(JSON.parse(values.run) as BlockRun)));
    return;
  }
  const shape = SHAPE_NAMES.find((name) => name === values.shape);
  const ways = WAYS.filter((way) => values.way === undefined || way === values.way);
  if (!shape || ways.length === 0)
    throw new Error(`expected --shape ${SHAPE_NAMES.join('|')}, --way ${WAYS.join('|')}`);
  const lengths = (values.length?.map(Number) ?? [...LENGTHS[shape]]).sort((a, b) => a - b);
  const window = values.window === undefined ? undefined : Number(values.window);
  const [threads, rounds] = [Number(values.threads), Number(values.rounds)];
  for (const way of ways) {
    if (!values.json) console.log(`${shape}, ${way}\n  tokens   ready s    run s   peak MiB   before it MiB`);
    const found: BlockMeasure[] = [];
    for (const tokens of lengths) {
      const measure = await measureApart({ shape, tokens, window, way, threads, rounds });
      found.push(measure);
      const { ready, seconds, peak, before } = measure;
      const columns = [ready.toFixed(2), seconds.toFixed(3), peak.toFixed(0), before.toFixed(0)];
      if (values.json) console.log(JSON.stringify({ shape, way, tokens, window, ...measure }));
      else console.log(`${String(tokens).padStart(8)}${columns.map((text) => text.padStart(10)).join('')}`);
    }
    if (lengths.length < 2) continue;
    // What a process takes without a text is no part of the growth.
    const growth = {
      memory: exponent(
        lengths,
        found.map(({ peak }) => peak),
      ),
      own: exponent(
        lengths,
        found.map(({ peak }) => peak - IDLE),
      ),
      seconds: exponent(
        lengths,
        found.map(({ seconds }) => seconds),
      ),
    };
    if (values.json) console.log(JSON.stringify({ shape, way, window, exponents: growth }));
    else {
      const [memory, own, seconds] = Object.values(growth).map((power) => power.toFixed(2));
      console.log(
        `grows with length^: memory ${memory}, less ${IDLE} MiB of a process without a text ${own}; seconds ${seconds}`,
      );
    }
  }
}

/** MiB of a process that has loaded the runtime. */
const IDLE = 90;

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
