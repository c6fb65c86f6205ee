import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { withoutSecrets } from '../../base/secretVariables.ts';
import type { DeviceReport } from '../../experiment/resultSchema.ts';
import { type DeviceChoice, type DeviceName, DEVICES } from '../../experiment/settings.ts';
import { encodeModel } from '../graph/onnx/encodeModel.ts';
import { buildGemmGraph } from './gemmGraph.ts';
import { adapterVariables, LISTING, readAdapters } from './adapters.ts';
import { gpuNames } from './gpuNames.ts';
import { loadOrt, ortPath } from './ort.ts';
import { providerOf } from './provider.ts';

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
  for (const name of DEVICES) {
    const report = await probe(name);
    const numbered = report.works ? await deviceNames(name) : [];
    reports.push({ ...report, ...(numbered.length > 0 && { numbered }) });
  }
  return reports;
}

/** Names of the devices of a kind, by their numbers; none where nothing lists them. */
export async function deviceNames(kind: DeviceName): Promise<readonly string[]> {
  if (kind === 'cuda') return gpuNames(process.env);
  if (kind !== 'webgpu' || process.platform !== 'linux') return [];
  const { messages } = await runProbe(kind, 0, LISTING);
  return readAdapters(messages).map(({ name, place }) => (place === undefined ? name : `${name} (${place})`));
}

/**
 * Makes a device of several the only one that this process has, where its kind is numbered so, before any program is compiled.
 *
 * @throws EspalierError `device/unavailable` where there is no such device
 */
export async function selectDevice(kind: DeviceName, number: number): Promise<void> {
  if (kind === 'webgpu') {
    const { messages } = process.platform === 'linux' ? await runProbe(kind, 0, LISTING) : { messages: '' };
    Object.assign(process.env, adapterVariables(number, readAdapters(messages)));
  } else if (number > 0 && kind !== 'dml') {
    // Of CUDA a process is shown its own alone, see `deviceVariables`.
    throw unavailableError(`${kind}:${number}`, `one alone, ${kind}:0`);
  }
}

/**
 * The device to use: the one asked for, or for `auto` the fastest that works.
 *
 * @param number which of several of its kind; the first is what a process gets that asks for none
 * @throws EspalierError `device/unavailable` when the one asked for does not work here; there is no silent replacement
 */
export async function chooseDevice(choice: DeviceChoice, number = 0): Promise<DeviceReport> {
  if (choice === 'cpu') return { name: 'cpu', works: true, detail: 'as asked for', float16: false };
  if (choice !== 'auto') {
    const report = await probe(choice, number);
    if (report.works) return report;
    throw unavailableError(choice, report.detail);
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

function unavailableError(device: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'device/unavailable',
    operation: `starting the device ${device}`,
    expected: 'a device that works on this machine',
    actual,
    remedy: 'Use --device auto or cpu; `espalier devices` tells what works here and why.',
  });
}

function rateOf(report: DeviceReport): number {
  return report.gigaflops ?? 0;
}

async function probe(name: DeviceName, number = 0): Promise<DeviceReport> {
  const failed = (detail: string): DeviceReport => ({ name, works: false, detail, float16: false });
  if (
    !loadOrt()
      .listSupportedBackends()
      .some((backend) => backend.name === name)
  ) {
    return failed(`not in this build of onnxruntime for ${process.platform}-${process.arch}`);
  }
  if (name === 'cuda' && !existsSync(cudaLibrary())) return failed('its library is not installed: see docs/devices.md');
  const { answer } = await runProbe(name, number);
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

interface Probed {
  readonly answer: ProbeAnswer;
  /** What its driver wrote to standard error. */
  readonly messages: string;
}

function runProbe(name: DeviceName, number: number, variables: Readonly<Record<string, string>> = {}): Promise<Probed> {
  const models = (['float32', 'float16'] as const).map((precision) =>
    Buffer.from(encodeModel(buildGemmGraph(SIDE, SIDE, SIDE, precision), { provider: name })).toString('base64'),
  );
  const input = JSON.stringify({ ort: ortPath(), name, provider: providerOf(name, number), side: SIDE, models });
  return new Promise((resolve) => {
    const options = {
      timeout: TIME_LIMIT_MS,
      env: { ...withoutSecrets(process.env), ...variables, ELECTRON_RUN_AS_NODE: '1' },
    };
    const child = execFile(process.execPath, ['-e', PROBE_SCRIPT], options, (error, stdout, messages) => {
      const line = /^espalier-probe (.*)$/m.exec(stdout)?.[1];
      const ended = { error: `its driver ended the probe: ${error?.signal ?? error?.code ?? 'no answer'}` };
      resolve({ answer: line === undefined ? ended : (JSON.parse(line) as ProbeAnswer), messages });
    });
    child.stdin?.end(input);
  });
}

/** Runs in the child: one warm-up and the best of three products; float16 must compile and give the right sum. */
const PROBE_SCRIPT = `
  const { ort: path, name, provider, side, models } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const answer = (value) => { process.stdout.write('\\nespalier-probe ' + JSON.stringify(value) + '\\n'); };
  (async () => {
    const ort = require(path);
    const ones = new ort.Tensor('float32', new Float32Array(side * side).fill(1), [side, side]);
    const open = (model) => ort.InferenceSession.create(Buffer.from(model, 'base64'), {
      executionProviders: [provider], logSeverityLevel: 4,
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
