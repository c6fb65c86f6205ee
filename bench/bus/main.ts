/**
 * What crosses to a device with memory of its own: `npm run bench:bus` traces runs of each kind on WebGPU, a software device will do, and
 * says whether they move what the table of docs/devices.md counts. `--table` writes that table.
 * `--device webgpu --shape 7b [--precision float16]` measures seconds a candidate there, of one block of random weights:
 * 110m and 6m are the other shapes, and any device will do.
 */
import { rm } from 'node:fs/promises';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { Device } from '../../src/engine/runtime/device.ts';
import { chooseDevice } from '../../src/engine/runtime/probe.ts';
import { type DeviceName, DEVICES } from '../../src/experiment/settings.ts';
import { busReasons, busTable, candidateTable } from './busTable.ts';
import { type CrossingName, CROSSINGS } from './crossings.ts';
import { type CandidateSeconds, measureCandidate } from './measureCandidate.ts';
import { SHAPES, type ShapeName } from './shapes.ts';
import { generateSmallModel } from './smallModel.ts';
import { traceRuns } from './traceRuns.ts';

/** Seconds that a candidate of Pruner-Zero takes at 7B, as its authors say. */
const PAPER = 300;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      device: { type: 'string', default: 'webgpu' },
      precision: { type: 'string', default: 'float32' },
      shape: { type: 'string' },
      table: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.table) {
    console.log([...busTable(), '', ...busReasons(), '', ...candidateTable('7b')].join('\n'));
    return;
  }
  const name = oneOf<DeviceName>(values.device, DEVICES);
  const precision = oneOf(values.precision, ['float32', 'float16'] as const);
  const report = await chooseDevice(name);
  if (precision === 'float16' && !report.float16) throw new Error(`${name} does not compute in float16 here`);
  const device = new Device({ name, precision, threads: os.availableParallelism() });
  try {
    if (values.shape !== undefined) {
      const shape = oneOf(values.shape, Object.keys(SHAPES) as ShapeName[]);
      const seconds = await measureCandidate(shape, device);
      if (values.json) console.log(JSON.stringify({ device: report, precision, shape, ...seconds }));
      else printSeconds(shape, seconds);
    } else await printTrace(device, values.json);
  } finally {
    await device.dispose();
  }
}

async function printTrace(device: Device, json: boolean): Promise<void> {
  if (!device.resident) throw new Error(`${device.name} has no memory of its own that tensors stay in`);
  const folder = await generateSmallModel();
  const { shape, bytes } = await traceRuns(folder, device).finally(() => rm(folder, { recursive: true }));
  const rows = (Object.keys(CROSSINGS) as CrossingName[]).map((name) => {
    const { run, bytes: counted } = CROSSINGS[name];
    return { run, moved: bytes[name], counted: counted(shape) };
  });
  if (json) console.log(JSON.stringify(rows));
  else {
    for (const { run, moved, counted } of rows) {
      const same = moved.up === counted.up && moved.down === counted.down;
      const said = same ? '' : `  but the table has ${counted.up} and ${counted.down}`;
      console.log(`${run.padEnd(48)} ${String(moved.up).padStart(9)} up ${String(moved.down).padStart(9)} down${said}`);
    }
  }
}

function printSeconds(shape: ShapeName, measured: CandidateSeconds): void {
  const { upRate, downRate, block, pruning, weights, embedding, head, batches, candidate } = measured;
  const line = (what: string, value: string): void => {
    console.log(`${what.padEnd(44)} ${value}`);
  };
  const seconds = (value: number): string => `${value.toPrecision(3)} s`;
  line('to the device, and from it', `${(upRate / 1e9).toFixed(2)} and ${(downRate / 1e9).toFixed(2)} GB/s`);
  line('a block’s weights sent', seconds(weights));
  line('a batch sent', seconds(embedding));
  line('a batch through a block', seconds(block));
  line('a block pruned, Wanda 50 %', seconds(pruning));
  line('losses of a batch', seconds(head));
  line(`a candidate at ${shape}: ${SHAPES[shape].depth} blocks, ${batches} batches`, seconds(candidate));
  if (shape === '7b') line('of the paper’s', `${((100 * candidate) / PAPER).toFixed(0)} %`);
}

function oneOf<Word extends string>(word: string, words: readonly Word[]): Word {
  const found = words.find((each) => each === word);
  if (found === undefined) throw new Error(`expected ${words.join(', ')}, got ${word}`);
  return found;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
