import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { withoutSecrets } from '../../base/secretVariables.ts';
import type { DeviceReport } from '../../experiment/resultSchema.ts';
import { type DeviceChoice, type DeviceName, DEVICES } from '../../experiment/settings.ts';
import { encodeModel } from '../graph/onnx/encodeModel.ts';
import { buildGemmGraph } from './gemmGraph.ts';
import { loadOrt, ortPath } from './ort.ts';

/** Side of the probe's square matrices. */
const SIDE = 1024;
const TIME_LIMIT_MS = 30_000;

/**
 * Tries every device of this machine, each in a process of its own: a driver that crashes or writes to the terminal while it is
 * tried takes nobody with it.
 */
export async function listDevices(): Promise<readonly DeviceReport[]> {
  const reports: DeviceReport[] = [];
  // One after the other: two at once would halve each other's rate.
  for (const name of DEVICES) reports.push(await probe(name));
  return reports;
}

/**
 * The device to use: the one asked for, or for `auto` the fastest that works.
 *
 * @throws EspalierError `device/unavailable` when the one asked for does not work here; there is no silent replacement
 */
export async function chooseDevice(choice: DeviceChoice): Promise<DeviceReport> {
  if (choice === 'cpu') return { name: 'cpu', works: true, detail: 'as asked for', float16: false };
  if (choice !== 'auto') {
    const report = await probe(choice);
    if (report.works) return report;
    throw new EspalierError({
      code: 'device/unavailable',
      operation: `starting the device ${choice}`,
      expected: 'a device that works on this machine',
      actual: report.detail,
      remedy: 'Use --device auto or cpu; `espalier devices` tells what works here and why.',
    });
  }
  const accelerators: DeviceReport[] = [];
  for (const name of DEVICES) {
    const report = name === 'cpu' ? undefined : await probe(name);
    if (report?.works) accelerators.push(report);
  }
  // A software device works too, and is slower than the CPU that it runs on.
  if (accelerators.length === 0)
    return { name: 'cpu', works: true, detail: 'the only device that works', float16: false };
  return [await probe('cpu'), ...accelerators].reduce((best, report) =>
    rateOf(report) > rateOf(best) ? report : best,
  );
}

function rateOf(report: DeviceReport): number {
  return report.gigaflops ?? 0;
}

async function probe(name: DeviceName): Promise<DeviceReport> {
  const failed = (detail: string): DeviceReport => ({ name, works: false, detail, float16: false });
  if (
    !loadOrt()
      .listSupportedBackends()
      .some((backend) => backend.name === name)
  ) {
    return failed(`not in this build of onnxruntime for ${process.platform}-${process.arch}`);
  }
  if (name === 'cuda' && !existsSync(cudaLibrary())) return failed('its library is not installed: see docs/devices.md');
  const answer = await runProbe(name);
  if ('error' in answer) return failed(withoutSource(answer.error));
  const rate = (2 * SIDE ** 3) / answer.seconds / 1e9;
  const gigaflops = Number(rate.toPrecision(3));
  return { name, works: true, detail: `${gigaflops} GFLOP/s in float32`, gigaflops, float16: answer.float16 };
}

/** ONNX Runtime puts the place in its source, and the condition that failed, before what it has to say. */
function withoutSource(message: string): string {
  return message.replace(/^.*\.(?:cc|h):\d+ .* was false\. /, '').slice(0, 300);
}

/** The CUDA provider is no part of the npm package; onnxruntime-node's own installer puts it beside the others. */
function cudaLibrary(): string {
  const folder = path.join(path.dirname(ortPath()), '..', 'bin', 'napi-v6', process.platform, process.arch);
  return path.join(
    folder,
    process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so',
  );
}

type ProbeAnswer = { readonly seconds: number; readonly float16: boolean } | { readonly error: string };

function runProbe(name: DeviceName): Promise<ProbeAnswer> {
  const models = (['float32', 'float16'] as const).map((precision) =>
    Buffer.from(encodeModel(buildGemmGraph(SIDE, SIDE, SIDE, precision), { provider: name })).toString('base64'),
  );
  const input = JSON.stringify({ ort: ortPath(), name, side: SIDE, models });
  return new Promise((resolve) => {
    const options = { timeout: TIME_LIMIT_MS, env: { ...withoutSecrets(process.env), ELECTRON_RUN_AS_NODE: '1' } };
    const child = execFile(process.execPath, ['-e', PROBE_SCRIPT], options, (error, stdout) => {
      const line = /^espalier-probe (.*)$/m.exec(stdout)?.[1];
      if (line !== undefined) resolve(JSON.parse(line) as ProbeAnswer);
      else resolve({ error: `its driver ended the probe: ${error?.signal ?? error?.code ?? 'no answer'}` });
    });
    child.stdin?.end(input);
  });
}

/** Runs in the child: one warm-up and the best of three products; float16 must compile and give the right sum. */
const PROBE_SCRIPT = `
  const { ort: path, name, side, models } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const answer = (value) => { process.stdout.write('\\nespalier-probe ' + JSON.stringify(value) + '\\n'); };
  (async () => {
    const ort = require(path);
    const ones = new ort.Tensor('float32', new Float32Array(side * side).fill(1), [side, side]);
    const open = (model) => ort.InferenceSession.create(Buffer.from(model, 'base64'), {
      executionProviders: [name], logSeverityLevel: 4,
      ...(name === 'webgpu' || name === 'cuda' ? { extra: { session: { disable_cpu_ep_fallback: '1' } } } : {}),
    });
    const product = async (session) => {
      const begin = process.hrtime.bigint();
      const { y } = await session.run({ x: ones, weight: ones });
      const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
      if (y.data[0] !== side || y.data[side * side - 1] !== side) throw new Error('a product of ones gave ' + y.data[0]);
      return seconds;
    };
    const session = await open(models[0]);
    await product(session);
    const seconds = Math.min(await product(session), await product(session), await product(session));
    let float16 = false;
    if (name !== 'cpu') try { await product(await open(models[1])); float16 = true; } catch {}
    answer({ seconds, float16 });
  })().catch((error) => answer({ error: String(error.message ?? error).split('\\n')[0] }));
`;
