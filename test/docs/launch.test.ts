import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { builtCommand, ROOT } from '../cli/builtCommand.ts';
import type { BuiltCommand } from '../cli/builtCommand.ts';
import { runSearchOf } from '../../src/coordinator/coordinator.ts';
import type { SearchRunOptions } from '../../src/coordinator/coordinator.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { forkWorker } from '../../src/protocol/workerProcess.ts';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { createRun } from '../../src/runs/runFolder.ts';
import { DEFAULT_SEARCH_OPERATIONS } from '../../src/search/metrics/plan.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../src/search/metrics/settings.ts';
import { hasRedis, startRedis, WITHOUT_REDIS } from '../support/queueServers.ts';
import type { TestServer } from '../support/queueServers.ts';

// The files of docs/launch as they stand there, with the real command and a real server; ssh and srun are stand-ins that start here what they would elsewhere.

const LAUNCH = path.join(ROOT, 'docs/launch');
const PASSWORD = 'it’s a $ecret "of" mine';
const IDLE = '4s';

/** Options, a host, and words for its shell. What it was given as words it writes down, as `ps` would show it. */
const SSH = `#!/bin/sh
echo "$*" >>"$SEEN"
while [ "$1" = -o ]; do shift 2; done
shift
exec sh -c "$*"
`;
/** Flags, and a command that each task runs, with what Slurm tells it. */
const SRUN = `#!/bin/sh
echo "$*" >>"$SEEN"
while case $1 in -*) ;; *) false ;; esac; do shift; done
task=0
while [ "$task" -lt "$SLURM_NTASKS" ]; do
  SLURM_PROCID=$task SLURMD_NODENAME=node$task CUDA_VISIBLE_DEVICES=$task "$@" &
  task=$((task + 1))
done
wait
`;

describe.skipIf(!hasRedis || process.platform === 'win32')(`recipes of launching workers${WITHOUT_REDIS}`, () => {
  let command: BuiltCommand;
  let server: TestServer;
  let bin: string;
  let passwordFile: string;
  let seen: string;

  beforeAll(async () => {
    [command, server] = await Promise.all([builtCommand(), startRedis(['--requirepass', PASSWORD])]);
    bin = path.join(command.folder, 'bin');
    mkdirSync(bin);
    symlinkSync(path.join(ROOT, 'dist/cli.cjs'), path.join(bin, 'espalier'));
    for (const [name, text] of [
      ['ssh', SSH],
      ['srun', SRUN],
    ] as const) {
      writeFileSync(path.join(bin, name), text, { mode: 0o755 });
    }
    passwordFile = path.join(command.folder, 'queue-password');
    seen = path.join(command.folder, 'seen');
    writeFileSync(passwordFile, `${PASSWORD}\n`);
  }, 180_000);
  afterAll(() => Promise.all([command.remove(), server.dispose()]));

  const environment = () => ({
    ...process.env,
    ...{ PATH: `${bin}:${process.env['PATH']}`, SEEN: seen, ESPALIER_QUEUE: server.url, ESPALIER_UNTIL_IDLE: IDLE },
    ...{ ESPALIER_QUEUE_PASSWORD_FILE: passwordFile, XDG_CACHE_HOME: path.join(command.folder, 'cache') },
    ...{
      SLURM_NTASKS: '2',
      SLURM_CPUS_PER_TASK: '1',
      SLURM_JOB_ID: '17',
      ESPALIER_DEVICE: 'cpu',
      ESPALIER_DEVICES: '',
    },
  });

  const RECIPES: Readonly<Record<string, readonly string[]>> = {
    'workers-by-ssh.sh': ['sh', 'FOLDER', 'gpu1', 'gpu2'],
    'workers.slurm': ['bash'],
  };
  const launch = (name: string) => {
    const [shell, ...words] = RECIPES[name]!;
    const all = [path.join(LAUNCH, name), ...words.map((word) => (word === 'FOLDER' ? command.folder : word))];
    return { shell: shell!, words: all };
  };

  it.each(Object.keys(RECIPES))(
    '%s: workers come, answer, and leave when they are idle',
    async (name) => {
      chmodSync(passwordFile, 0o600);
      writeFileSync(seen, '');
      const { shell, words } = launch(name);
      const workers = spawn(shell, words, {
        cwd: command.folder,
        env: environment(),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const said: string[] = [];
      for (const stream of [workers.stdout, workers.stderr])
        stream.on('data', (data: Buffer) => said.push(data.toString()));
      const left = new Promise<number | null>((resolve) => workers.once('exit', resolve));
      const over = await searched(command.folder, { queue: readQueueAddress(server.url, PASSWORD) });
      expect(over.length).toBeGreaterThan(5);
      expect(over).toEqual(await searched(command.folder, {}));
      expect(await left, said.join('')).toBe(0);
      const commands = readFileSync(seen, 'utf8');
      expect(commands).toContain('espalier worker --queue');
      for (const text of [commands, said.join('')]) expect(text).not.toContain('ecret');
    },
    240_000,
  );

  it.each(Object.keys(RECIPES))('%s: a password that others can read is not used', (name) => {
    chmodSync(passwordFile, 0o644);
    writeFileSync(seen, '');
    const { shell, words } = launch(name);
    const { status, stderr } = spawnSync(shell, words, { env: environment(), encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, `${passwordFile} can be read by others: chmod 600 it\n`]);
    expect(readFileSync(seen, 'utf8')).toBe('');
  });
});

/** What a small search finds, without times; what was answered at the same time may stand in any order. */
async function searched(folder: string, how: Pick<SearchRunOptions, 'queue'>): Promise<readonly string[]> {
  const [model, text] = ['model', 'text.txt'].map((name) => path.join(folder, name)) as [string, string];
  const settings = { ...DEFAULT_SETTINGS, device: 'cpu', length: 16, samples: 2, blocks: 2, threads: 1 } as const;
  const run = await createRun(
    {
      ...{ kind: 'metrics', name: 'launched', model, text, calibration: text, settings },
      ...{
        sparsity: { kind: 'unstructured', share: 0.5 },
        operands: ['W', 'X'],
        operations: DEFAULT_SEARCH_OPERATIONS,
      },
      ...{ seeds: [], baselines: [] },
      search: { ...DEFAULT_METRIC_SEARCH_SETTINGS, population: 6, generations: 2, elites: 1, finalists: 1 },
    },
    { root: folder, createdAt: new Date(1763804575000 + 1000 * second++), versions: {} },
  );
  const told: string[] = [];
  await runSearchOf(run, {
    ...how,
    signal: new AbortController().signal,
    spawn: () => forkWorker({ file: path.join(ROOT, 'dist/worker.cjs'), log: () => undefined }),
    onEvent: ({ event }) => told.push(JSON.stringify(event, (key, value: unknown) => (key === 'seconds' ? 0 : value))),
  });
  return told.sort();
}
let second = 0;

it('workers.slurm asks Slurm for what it uses', () => {
  const text = readFileSync(path.join(LAUNCH, 'workers.slurm'), 'utf8');
  const asked = [...text.matchAll(/^#SBATCH --([a-z-]+)/gm)].map(([, flag]) => flag);
  expect(asked).toEqual(expect.arrayContaining(['ntasks', 'gpus-per-task', 'cpus-per-task', 'requeue', 'open-mode']));
  // Behind the first command sbatch reads no more of them.
  expect(text.lastIndexOf('#SBATCH')).toBeLessThan(text.indexOf('\nset '));
});

it.skipIf(process.platform === 'win32')('the scripts are what their shells take', () => {
  for (const [shell, name] of [['sh', 'workers-by-ssh.sh'] as const, ['bash', 'workers.slurm'] as const]) {
    expect(spawnSync(shell, ['-n', path.join(LAUNCH, name)], { encoding: 'utf8' }).stderr).toBe('');
  }
});

const hasVerify = spawnSync('systemd-analyze', ['--version']).status === 0;
it.skipIf(!hasVerify)(`espalier-worker@.service${hasVerify ? '' : ' (skipped: no systemd-analyze)'}`, () => {
  const unit = path.join(LAUNCH, 'espalier-worker@.service');
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

describe('workers.kubernetes.json', () => {
  const manifest = deploymentSchema().parse(
    JSON.parse(readFileSync(path.join(LAUNCH, 'workers.kubernetes.json'), 'utf8')),
  );
  const { template, selector } = manifest.spec;
  const [container] = template.spec.containers;

  it('fits together', () => {
    expect(template.metadata.labels).toMatchObject(selector.matchLabels);
    const volumes = template.spec.volumes.map(({ name }) => name);
    expect(container!.volumeMounts.map(({ name }) => name).sort()).toEqual(volumes.sort());
    // A worker is given 20 s to give its question back.
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThan(20);
    expect(container!.resources.limits['nvidia.com/gpu']).toBe('1');
  });

  it('holds no password', () => {
    const values = container!.env.flatMap(({ name, value }) => (value === undefined ? [] : [name]));
    expect(values).toEqual(['XDG_CACHE_HOME']);
    expect(container!.args.filter((word) => word.includes('://'))).toEqual([]);
  });
});

/** What the manifest uses of the API (kubernetes.io/docs/reference, apps/v1 Deployment), without a word more. */
function deploymentSchema() {
  const name = z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
    .max(63);
  const labels = z.record(z.string(), z.string());
  const quantity = z.string().regex(/^\d+(m|[KMGT]i)?$/);
  const source = z.union([
    z.strictObject({ fieldRef: z.strictObject({ fieldPath: z.literal('metadata.name') }) }),
    z.strictObject({ secretKeyRef: z.strictObject({ name, key: z.string() }) }),
  ]);
  const env = z.union([
    z.strictObject({ name: z.string(), value: z.string() }),
    z.strictObject({ name: z.string(), valueFrom: source, value: z.undefined().optional() }),
  ]);
  const amounts = z.strictObject({
    ...{ cpu: quantity.optional(), memory: quantity, 'nvidia.com/gpu': quantity.optional() },
  });
  const container = z.strictObject({
    ...{ name, image: z.string(), args: z.array(z.string()), env: z.array(env) },
    resources: z.strictObject({ requests: amounts, limits: amounts }),
    securityContext: z.strictObject({
      ...{ allowPrivilegeEscalation: z.literal(false), readOnlyRootFilesystem: z.literal(true) },
      capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
    }),
    volumeMounts: z.array(
      z.strictObject({ name, mountPath: z.string().startsWith('/'), readOnly: z.boolean().optional() }),
    ),
  });
  const volume = z.union([
    z.strictObject({ name, emptyDir: z.strictObject({}) }),
    z.strictObject({ name, persistentVolumeClaim: z.strictObject({ claimName: name, readOnly: z.boolean() }) }),
  ]);
  const pod = z.strictObject({
    terminationGracePeriodSeconds: z.int(),
    ...{ automountServiceAccountToken: z.literal(false), enableServiceLinks: z.boolean() },
    securityContext: z.strictObject({
      ...{ runAsNonRoot: z.literal(true), runAsUser: z.int().min(1), fsGroup: z.int() },
      seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
    }),
    ...{ containers: z.array(container).length(1), volumes: z.array(volume) },
  });
  return z.strictObject({
    ...{ apiVersion: z.literal('apps/v1'), kind: z.literal('Deployment') },
    metadata: z.strictObject({ name, labels }),
    spec: z.strictObject({
      ...{ replicas: z.int(), selector: z.strictObject({ matchLabels: labels }) },
      template: z.strictObject({ metadata: z.strictObject({ labels }), spec: pod }),
    }),
  });
}
