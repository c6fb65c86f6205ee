import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { cancelledError } from '../../src/base/errors.ts';
import { MOST_VANISHED } from '../../src/queue/jobs.ts';
import { QuestionQueue } from '../../src/queue/questionQueue.ts';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import { Answerers, numberQuestion, resultOf } from '../support/queueAnswerers.ts';
import type { Answerer } from '../support/queueAnswerers.ts';
import {
  hasPostgres,
  hasRedis,
  startPostgres,
  startRedis,
  WITHOUT_POSTGRES,
  WITHOUT_REDIS,
} from '../support/queueServers.ts';
import type { TestServer } from '../support/queueServers.ts';

/** How often each fault happens; ESPALIER_FAULTS=100 is a hundred times, which takes a good while. */
const TIMES = Number(process.env['ESPALIER_FAULTS'] ?? 6);
const LOCK = 1000;
const KINDS = [
  { name: `Redis${WITHOUT_REDIS}`, start: startRedis, isThere: hasRedis },
  { name: `PostgreSQL${WITHOUT_POSTGRES}`, start: startPostgres, isThere: hasPostgres },
] as const;

let answerers: Answerers;
const stray: string[] = [];

beforeAll(async () => {
  answerers = await Answerers.build();
});
afterAll(async () => {
  await answerers.dispose();
});
beforeEach(() => {
  stray.length = 0;
  for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, name).mockImplementation((...said) => void stray.push(said.join(' ')));
  }
});
afterEach(() => {
  vi.restoreAllMocks();
  expect(stray).toEqual([]);
  answerers.expectQuiet();
});

describe.each(KINDS)('over $name', ({ start, isThere }) => {
  let server: TestServer;
  let ours: QueueServer;
  let queue: QuestionQueue;
  let names = 0;
  let name = '';
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  const answerer = (environment: Readonly<Record<string, string>> = {}): Promise<Answerer> =>
    answerers.start(server.url, name, { LOCK: String(LOCK), ...environment });

  beforeEach(async () => {
    if (!isThere) return;
    lines.length = 0;
    server = await start();
    name = `run-${names++}`;
    ours = await QueueServer.connect(readQueueAddress(server.url), { log, lock: LOCK });
    queue = await QuestionQueue.open(ours, name, { log, lookEvery: 500 });
  }, 60_000);

  afterEach(async () => {
    if (!isThere) return;
    await queue.close(cancelledError('asking'), true);
    await ours.close();
    await Promise.all(answerers.all.map((one) => one.kill()));
    await server.dispose();
  }, 60_000);

  /** Asks question after question, a few at a time, as long as something goes wrong. */
  async function askWhile(wrong: () => Promise<void>): Promise<void> {
    const state = { goesOn: true };
    let next = 0;
    const lane = async (): Promise<void> => {
      while (state.goesOn) {
        const n = next++;
        expect(resultOf(await queue.ask(numberQuestion(n)))).toBe(2 * n);
      }
    };
    const lanes = Promise.all([lane(), lane(), lane(), lane()]);
    await Promise.race([wrong(), lanes]);
    state.goesOn = false;
    await lanes;
    expect(queue.open).toBe(0);
  }

  test.skipIf(!isThere)(
    'workers that are killed cost nothing but time',
    { timeout: 60_000 + 10_000 * TIMES },
    async () => {
      const crew = await Promise.all([0, 1, 2].map(() => answerer({ TAKES: '40' })));
      let killed = 0;
      await askWhile(async () => {
        while (killed < TIMES) {
          const victim = crew[killed % crew.length]!;
          await victim.until(({ kind }) => kind === 'took', victim.said.length).catch(() => undefined);
          await victim.kill();
          crew[killed % crew.length] = await answerer({ TAKES: '40' });
          killed++;
        }
      });
      expect(killed).toBe(TIMES);
    },
  );

  test.skipIf(!isThere)(
    'a late answer of one that was frozen is dropped',
    { timeout: 60_000 + 10_000 * TIMES },
    async () => {
      for (let n = 0; n < TIMES; n++) {
        const frozen = await answerer({ TAKES: '300' });
        const answered = queue.ask(numberQuestion(n));
        await frozen.until((said) => said.kind === 'took' && said.n === n);
        frozen.signal('SIGSTOP');
        const other = await answerer();
        expect(resultOf(await answered)).toBe(2 * n);
        frozen.signal('SIGCONT');
        await frozen.until((said) => said.kind === 'answered' && said.n === n);
        await frozen.until((said) => said.kind === 'log' && /lock|not in the active state/i.test(said.text));
        // It goes on as if nothing had been.
        await other.kill();
        expect(resultOf(await queue.ask(numberQuestion(1000 + n)))).toBe(2000 + 2 * n);
        await frozen.kill();
      }
      expect(queue.open).toBe(0);
    },
  );

  test.skipIf(!isThere)('a question with which everybody vanishes fails in the end', { timeout: 240_000 }, async () => {
    const asked = queue.ask(numberQuestion(1));
    const state = { isOpen: true, error: undefined as unknown };
    asked.catch((error: unknown) => Object.assign(state, { isOpen: false, error }));
    let vanished = 0;
    while (state.isOpen && vanished < 3 * MOST_VANISHED) {
      const one = await answerer({ VANISH: '1' }).catch(() => undefined);
      if (!one) continue;
      await Promise.race([one.until(() => false).catch(() => undefined), asked.catch(() => undefined)]);
      if (!one.isAlive) vanished++;
    }
    expect(state.error).toMatchObject({ code: 'worker/exited' });
    expect(vanished).toBe(MOST_VANISHED + 1);
    const still = await answerer();
    expect(resultOf(await queue.ask(numberQuestion(2)))).toBe(4);
    await still.kill();
  });

  test.skipIf(!isThere).each([
    ['with its data', false],
    ['without its data', true],
  ])('a server that starts again %s is waited for', { timeout: 60_000 + 30_000 * TIMES }, async (_, forget) => {
    const crew = await Promise.all([0, 1].map(() => answerer({ TAKES: '60' })));
    let restarts = 0;
    await askWhile(async () => {
      while (restarts < TIMES) {
        await crew[0]!.until(({ kind }) => kind === 'took', crew[0]!.said.length);
        await server.restart(forget);
        restarts++;
      }
    });
    expect(restarts).toBe(TIMES);
    expect(crew.every((one) => one.isAlive)).toBe(true);
    expect(lines.filter((line) => line.endsWith('is there again')).length).toBeGreaterThan(0);
  });

  test.skipIf(!isThere)('a server that is away for a while is waited for', { timeout: 240_000 }, async () => {
    const one = await answerer({ TAKES: '300' });
    const before = queue.ask(numberQuestion(1));
    await one.until(({ kind }) => kind === 'took');
    await server.kill();
    const during = queue.ask(numberQuestion(2));
    // What is opened meanwhile, too.
    const later = QuestionQueue.open(ours, `${name}-later`, { log, lookEvery: 500 });
    await new Promise((resolve) => setTimeout(resolve, Number(process.env['ESPALIER_AWAY'] ?? 8) * 1000));
    await server.start();
    expect(await Promise.all([before, during].map(async (answer) => resultOf(await answer)))).toEqual([2, 4]);
    await (await later).close(cancelledError('asking'), true);
    expect(await one.leave()).toBe(0);
  });

  test.skipIf(!isThere)('processes end while the server is away', { timeout: 120_000 }, async () => {
    const crew = await Promise.all([answerer(), answerer({ TAKES: '600000' })]);
    const lost = queue.ask(numberQuestion(1));
    lost.catch(() => undefined);
    await Promise.race(crew.map((one) => one.until(({ kind }) => kind === 'took')));
    await server.kill();
    const began = performance.now();
    const codes = await Promise.all(crew.map((one) => Promise.race([one.leave(), late(30_000)])));
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(codes[0]).toBe(0);
    await server.start();
  });

  test.skipIf(!isThere)('questions may be large', { timeout: 120_000 }, async () => {
    const one = await answerer();
    const params = { n: 3, text: 'x'.repeat(5 << 20) };
    expect(resultOf(await queue.ask({ ...numberQuestion(3), params }))).toBe(6);
    await one.kill();
  });
});

function late(limit: number): Promise<string> {
  return new Promise((resolve) =>
    setTimeout(() => {
      resolve(`nothing within ${limit} ms`);
    }, limit),
  );
}
