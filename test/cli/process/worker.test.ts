import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { REQUESTS } from '../../../src/protocol/requests.ts';
import type { Answer } from '../../../src/queue/wire.ts';
import { sampleSearchPlan } from '../../protocol/samples.ts';
import { startAsker } from '../../support/queueAsker.ts';
import { hasRedis, startRedis, WITHOUT_REDIS } from '../../support/queueServers.ts';
import type { TestServer } from '../../support/queueServers.ts';
import { builtCommand, jsonLines } from '../builtCommand.ts';
import type { BuiltCommand, Ended, Running } from '../builtCommand.ts';

const SETTINGS = { ...DEFAULT_SETTINGS, length: 16, samples: 2, blocks: 2, device: 'cpu' } as const;
const INPUTS = { model: 'model', text: 'text.txt', calibration: 'text.txt', settings: SETTINGS };
const PLAN = sampleSearchPlan(INPUTS);
const WORK = { kind: 'run', plan: PLAN } as const;

describe.skipIf(!hasRedis)(`espalier worker${WITHOUT_REDIS}`, () => {
  let command: BuiltCommand;
  let server: TestServer;
  beforeAll(async () => {
    [command, server] = await Promise.all([builtCommand(), startRedis()]);
  }, 180_000);
  afterAll(() => Promise.all([command.remove(), server.dispose()]));

  /** A worker that is told to leave when the work is done. */
  async function withWorker(words: readonly string[], work: (child: Running) => Promise<void>): Promise<Ended> {
    let running!: (child: Running) => void;
    const started = new Promise<Running>((resolve) => (running = resolve));
    const ended = command.espalier(['worker', '--queue', '--json', '--threads', '1', ...words], {
      env: { ESPALIER_QUEUE: server.url },
      during: running,
    });
    const child = await started;
    try {
      await work(child);
    } finally {
      child.kill('SIGTERM');
    }
    return ended;
  }

  it('opens a run, answers every kind of question about it, and leaves when it is told to', async () => {
    const asker = await startAsker(server.url, WORK, { key: 'a'.repeat(16) });
    const { status, out, err } = await withWorker([], async () => {
      const opened = await asker.ask('open', PLAN, null);
      const { digits } = opened.class;
      expect(REQUESTS.open.result.parse(resultOf(opened))).toMatchObject({ device: 'cpu', blocks: 2 });
      expect(opened.class.of).toMatchObject({ espalier: '0.1.0', device: 'cpu', precision: 'float32' });
      await asker.setClass(opened.class);
      const expressions = [parsePrefix('mul(W, sqrt(X))'), parsePrefix('W')];
      const probed = await asker.ask('probe', { expressions }, digits);
      expect(REQUESTS.probe.result.parse(resultOf(probed))).toHaveLength(2);
      const measured = await asker.ask(
        'measure',
        { candidates: [{ kind: 'metric', expression: expressions[0] }], on: { kind: 'blocks', begin: 0, end: 2 } },
        digits,
      );
      expect(REQUESTS.measure.result.parse(resultOf(measured))).toMatchObject([
        { answer: { kind: 'loss', blocks: 2 } },
      ]);
      const evaluated = await asker.ask('evaluate', { ...INPUTS, evaluations: [] }, digits);
      const [dense] = REQUESTS.evaluate.result.parse(resultOf(evaluated));
      expect(dense!.provenance).toMatchObject({ model: 'model', text: 'text.txt' });
    });
    await asker.finish();
    expect({ status, err }).toEqual({ status: 143, err: '' });
    expect(jsonLines({ out }).map(({ event }) => event)).toEqual(['connected', 'started', 'took', 'left', 'ended']);
  });
});

function resultOf({ outcome }: Answer): unknown {
  if (outcome.kind === 'failure') throw new Error(JSON.stringify(outcome.error));
  return outcome.result;
}
