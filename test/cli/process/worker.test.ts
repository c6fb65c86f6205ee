import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { REQUESTS } from '../../../src/protocol/requests.ts';
import { queueOfRun } from '../../../src/queue/questionQueue.ts';
import { QUEUE_FORMAT } from '../../../src/queue/wire.ts';
import { startAsker } from '../../support/queueAsker.ts';
import {
  hasPostgres,
  hasRedis,
  startPostgres,
  startRedis,
  WITHOUT_POSTGRES,
  WITHOUT_REDIS,
} from '../../support/queueServers.ts';
import type { TestServer } from '../../support/queueServers.ts';
import { builtCommand, jsonLines } from '../builtCommand.ts';
import type { BuiltCommand } from '../builtCommand.ts';
import { INPUTS, MEASURE, PATIENCE, PLAN, resultOf, withWorker, WORK } from './queueWorker.ts';

const KINDS = [
  { name: `Redis${WITHOUT_REDIS}`, start: startRedis, isThere: hasRedis },
  { name: `PostgreSQL${WITHOUT_POSTGRES}`, start: startPostgres, isThere: hasPostgres },
] as const;

let command: BuiltCommand;
beforeAll(async () => {
  command = await builtCommand();
}, 180_000);
afterAll(() => command.remove());

describe.each(KINDS)('espalier worker over $name', ({ start, isThere }) => {
  let server: TestServer;
  beforeAll(async () => {
    if (isThere) server = await start();
  }, 60_000);
  afterAll(async () => {
    if (isThere) await server.dispose();
  });

  it.skipIf(!isThere)(
    'opens a run, answers every kind of question about it, and leaves when it is told to',
    async () => {
      const asker = await startAsker(server.url, WORK, { key: 'a'.repeat(16) });
      const { status, out, err } = await withWorker(command, server, [], async () => {
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
    },
  );

  it.skipIf(!isThere)('what is no question is answered as that, and the worker goes on', async () => {
    const asker = await startAsker(server.url, WORK, { key: '7'.repeat(16) });
    await withWorker(command, server, [], async () => {
      const { class: of } = await asker.ask('open', PLAN, null);
      await asker.setClass(of);
      const queue = asker.server.queue(queueOfRun(asker.key));
      const good = { format: QUEUE_FORMAT, name: 'measure', params: MEASURE, digits: of.digits, limit: 1000 };
      const bad: unknown[] = [
        ...[null, 7, 'x', [], {}, { ...good, name: 'shutdown' }, { ...good, limit: 'x' }, { ...good, format: 2 }],
        ...[{ ...good, params: { candidates: 1 } }, { ...good, digits: null }, { ...good, more: 1 }, good],
      ];
      for (const [place, data] of bad.entries()) await queue.add('measure', `job-${place}`, data);
      for (const place of bad.keys()) {
        const answer = async (): Promise<unknown> => (await queue.get(`job-${place}`))?.answer;
        await expect
          .poll(answer, PATIENCE)
          .toMatchObject({ outcome: { kind: 'failure', error: { code: 'queue/malformed' } } });
      }
      expect(resultOf(await asker.ask('measure', MEASURE, of.digits))).toHaveLength(1);
    });
    await asker.finish();
  });

  it.skipIf(!isThere)('leaves by itself when there is nothing to do', async () => {
    const words = ['worker', '--queue', server.url, '--until-idle', '1s', '--json'];
    const { status, out } = await command.espalier(words);
    expect(status).toBe(0);
    expect(jsonLines({ out }).at(-1)).toMatchObject({ event: 'ended', why: 'idle', answered: 0 });
  });
});
