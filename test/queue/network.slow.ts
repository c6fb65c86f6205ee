import { execFileSync, spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cancelledError } from '../../src/base/errors.ts';
import { QuestionQueue } from '../../src/queue/questionQueue.ts';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import { Answerers, numberQuestion, resultOf } from '../support/queueAnswerers.ts';
import {
  hasPostgres,
  hasRedis,
  startPostgres,
  startRedis,
  WITHOUT_POSTGRES,
  WITHOUT_REDIS,
} from '../support/queueServers.ts';

/** A namespace with a network of its own, joined to this one by a cable of two ends. */
const NAMESPACE = `espalier${process.pid}`;
const [HERE, THERE] = [`esp${process.pid % 10_000}a`, `esp${process.pid % 10_000}b`];
const [SERVER, WORKER] = ['10.213.7.1', '10.213.7.2'];
const LOCK = 2000;
/** Longer than a lock, and than a silence after which somebody counts as cut off. */
const CUT = 30_000;

const canCut =
  process.platform === 'linux' &&
  run('ip', 'netns', 'add', `${NAMESPACE}x`) &&
  run('ip', 'netns', 'del', `${NAMESPACE}x`);
const WITHOUT_NETWORKS = canCut ? '' : ' (skipped: no rights to make network namespaces)';

const KINDS = [
  {
    name: `Redis${WITHOUT_REDIS}`,
    isThere: hasRedis,
    start: () => startRedis(['--bind', '127.0.0.1', SERVER, '--protected-mode', 'no']),
  },
  {
    name: `PostgreSQL${WITHOUT_POSTGRES}`,
    isThere: hasPostgres,
    start: () => startPostgres(['-c', 'listen_addresses=*', '-c', `hba_file=${trusting}`]),
  },
] as const;

/** How a network fails: what does it, and what mends it. */
const CUTS = [
  {
    how: 'cut',
    cut: () => run('ip', 'link', 'set', HERE, 'down'),
    mend: () => run('ip', 'link', 'set', HERE, 'up'),
  },
  {
    // What the server says goes to a card that is not there; it hears all.
    how: 'dead in one direction',
    cut: () => run('ip', 'neigh', 'replace', WORKER, 'lladdr', '02:00:00:00:00:99', 'dev', HERE, 'nud', 'permanent'),
    mend: () => run('ip', 'neigh', 'del', WORKER, 'dev', HERE),
  },
] as const;

let answerers: Answerers;
/** Whom PostgreSQL lets in. */
const trusting = path.join(tmpdir(), `espalier-hba-${process.pid}`);

beforeAll(async () => {
  if (!canCut) return;
  answerers = await Answerers.build();
  await writeFile(trusting, 'local all all trust\nhost all all all trust\n');
  for (const command of [
    `netns add ${NAMESPACE}`,
    `link add ${HERE} type veth peer name ${THERE}`,
    `link set ${THERE} netns ${NAMESPACE}`,
    `addr add ${SERVER}/30 dev ${HERE}`,
    `link set ${HERE} up`,
    `netns exec ${NAMESPACE} ip addr add ${WORKER}/30 dev ${THERE}`,
    `netns exec ${NAMESPACE} ip link set ${THERE} up`,
    `netns exec ${NAMESPACE} ip link set lo up`,
  ]) {
    execFileSync('ip', command.split(' '));
  }
});

afterAll(async () => {
  if (!canCut) return;
  await answerers.dispose();
  await rm(trusting, { force: true });
  run('ip', 'netns', 'del', NAMESPACE);
  run('ip', 'link', 'del', HERE);
});

describe.each(KINDS)(`between a worker and $name${WITHOUT_NETWORKS}`, ({ isThere, start }) => {
  test.skipIf(!canCut || !isThere).each(CUTS)(
    'a network that is $how costs one question its time',
    { timeout: 300_000 },
    async ({ cut, mend }) => {
      const server = await start();
      const ours = await QueueServer.connect(readQueueAddress(server.url), { log: () => undefined, lock: LOCK });
      const queue = await QuestionQueue.open(ours, 'run-cut', { log: () => undefined });
      const far = await answerers.start(
        server.url.replace('127.0.0.1', SERVER),
        'run-cut',
        { LOCK: String(LOCK), TAKES: '500' },
        [...['ip', 'netns', 'exec', NAMESPACE]],
      );
      expect(resultOf(await queue.ask(numberQuestion(1)))).toBe(2);
      const answered = queue.ask(numberQuestion(2));
      await far.until((said) => said.kind === 'took' && said.n === 2);
      expect(cut()).toBe(true);
      const near = await answerers.start(server.url, 'run-cut', { LOCK: String(LOCK) });
      expect(resultOf(await answered)).toBe(4);
      await new Promise((resolve) => setTimeout(resolve, CUT));
      expect(mend()).toBe(true);
      await near.kill();
      // It comes back by itself.
      expect(resultOf(await queue.ask(numberQuestion(3)))).toBe(6);
      expect(far.isAlive).toBe(true);
      expect(await far.leave()).toBe(0);
      await queue.close(cancelledError('asking'), true);
      await ours.close();
      await server.dispose();
      answerers.expectQuiet();
    },
  );
});

function run(program: string, ...flags: readonly string[]): boolean {
  return spawnSync(program, flags).status === 0;
}
