import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Directory } from '../../src/queue/directory.ts';
import { readQueueAddress } from '../../src/queue/queueAddress.ts';
import { QueueServer } from '../../src/queue/queueServer.ts';
import { SERVER_KINDS, type TestServer } from '../support/queueServers.ts';
import { builtCommand, jsonLines, ROOT } from './builtCommand.ts';
import type { BuiltCommand } from './builtCommand.ts';
import { withoutTimes } from './withoutTimes.ts';

// A table of evaluations over a queue with three workers, one of which is killed, ends as in one process.

const TABLE = `
model m = "model"
corpus text = "text.txt"
defaults { model: m  evaluate: text (blocks: 40, length: 16)  calibrate: text (samples: 8)  device: cpu  threads: 1 }
task facts = "questions.jsonl" (context: "{question}", choices: choices, gold: answer)
metric magnitude = W
metric wanda = W * sqrt(X)
metric taylor = W * G
metric nothing = (-W) ^ 0.5
experiment sparsities { prune: nothing, magnitude, wanda, taylor  at: 30%, 50%, 2:4 }
experiment asked { prune: magnitude, wanda then sparsegpt  at: 50%  tasks: facts }
experiment whole { prune: structure(wanda-sp), structure(taylor, global), structure(nothing)  at: 20%, 40% }
`;

let command: BuiltCommand;
let embedded: unknown;
beforeAll(async () => {
  command = await builtCommand({ family: 'llama-1', characters: 40_000 });
  const write = (name: string, text: string): Promise<void> => writeFile(join(command.folder, name), text);
  const questions = ['door', 'jar', 'shirt'].map((what, i) => ({
    ...{ question: `what is a ${what}`, choices: ['a thing', 'a person'], answer: i % 2 },
  }));
  await write('table.prune', TABLE);
  await write('questions.jsonl', questions.map((question) => JSON.stringify(question)).join('\n'));
  const told = await command.espalier(['evaluate', 'table.prune', '--json', '--details']);
  expect(told.status).toBe(1);
  embedded = withoutTimes(jsonLines(told));
}, 300_000);
afterAll(() => command.remove());

describe.each(SERVER_KINDS)('over $name', ({ start, isThere }) => {
  let server: TestServer;
  const workers: ChildProcess[] = [];
  beforeAll(async () => {
    if (!isThere) return;
    server = await start();
    for (let i = 0; i < 3; i++) {
      const words = ['worker', '--queue', server.url, '--threads', '1', '--name', `w${i}`];
      const env = { ...process.env, XDG_CACHE_HOME: join(command.folder, `cache ${i}`) };
      workers.push(
        spawn(process.execPath, [join(ROOT, 'dist/cli.cjs'), ...words], { cwd: command.folder, env, stdio: 'ignore' }),
      );
    }
  }, 120_000);
  afterAll(async () => {
    for (const worker of workers) worker.kill('SIGKILL');
    if (isThere) await server.dispose();
  });

  it.skipIf(!isThere)(
    'the same objects in the same order, though a worker is killed, and nothing is left',
    async () => {
      const over = await command.espalier(['evaluate', 'table.prune', '--json', '--details', '--queue', server.url], {
        during: ({ stdout }) => stdout.once('data', () => workers[0]!.kill('SIGKILL')),
      });
      expect(over.status).toBe(1);
      expect(withoutTimes(jsonLines(over))).toEqual(embedded);
      const queue = await QueueServer.connect(readQueueAddress(server.url), { log: () => undefined });
      expect(await new Directory(queue).runs.list()).toEqual({ entries: [], foreign: 0 });
      await queue.close();
    },
    300_000,
  );
});
