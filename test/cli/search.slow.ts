import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RUNS_FOLDER } from '../../src/runs/runFolder.ts';
import { ScriptedLlm } from '../support/scriptedLlm.ts';
import { type BuiltCommand, builtCommand, INPUTS, jsonLines } from './builtCommand.ts';

let command: BuiltCommand;
let llm: ScriptedLlm;
beforeAll(async () => {
  command = await builtCommand();
  llm = await ScriptedLlm.start({ seed: 3, share: 0.4 });
}, 120_000);
afterAll(async () => {
  await llm.close();
  await command.remove();
});

/** Of a language model that needs none. */
const KEY = ['sk', 'marker', 'command', '0123456789'].join('-');

const SEARCH = ['search', '--method', 'self-pruner', ...INPUTS, '--json'].concat(
  ...['--population', '6', '--mutations', '3', '--crossovers', '3', '--generations', '3', '--finalists', '1'],
);

it('espalier search asks an endpoint, is interrupted and goes on, and finds the same from its replies alone', async () => {
  const env = { ESPALIER_LLM_KEY: KEY };
  const ask = ['--provider', 'openai', '--endpoint', llm.url, '--llm', 'scripted', '--timeout', '1'];
  const begun = await command.espalier([...SEARCH, ...ask], {
    env,
    during: (child) => {
      const stop = (data: Buffer): void => {
        if (data.includes('"kind":"generation"')) child.kill('SIGINT');
      };
      child.stdout.on('data', stop);
    },
  });
  expect(begun.status).toBe(130);
  const run = String(jsonLines(begun)[0]!['run']);

  // The endpoint stands in the run now, and nobody is there to be asked.
  const refused = await command.espalier(['search', '--resume', run, '--json'], { env });
  expect([refused.status, refused.out]).toEqual([2, expect.stringContaining('llm/not-agreed')]);
  const meant = { ...env, ESPALIER_LLM_ENDPOINT: llm.url };
  const resumed = await command.espalier(['search', '--resume', run, '--json'], { env: meant });
  expect(resumed.status).toBe(0);
  const found = jsonLines(resumed).at(-1)!;
  const { calls, promptTokens, listsUsed } = found['counts'] as Record<string, number>;
  expect(found).toMatchObject({ kind: 'result', run, state: 'finished', method: 'self-pruner' });
  for (const count of [calls, promptTokens, listsUsed]) expect(count).toBeGreaterThan(0);
  expect(llm.askedTwice).toEqual([]);
  expect(new Set(llm.requests.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${KEY}`]));

  await llm.close();
  const replayed = await command.espalier([...SEARCH, '--provider', 'replay', '--replay', run]);
  expect(replayed.status).toBe(0);
  expect(jsonLines(replayed).at(-1)!['best']).toEqual(found['best']);

  for (const { out, err } of [begun, resumed, replayed]) expect(out + err).not.toContain(KEY);
  const runs = join(command.folder, RUNS_FOLDER);
  for (const file of readdirSync(runs, { recursive: true, withFileTypes: true })) {
    if (file.isFile()) expect(readFileSync(join(file.parentPath, file.name), 'utf8')).not.toContain(KEY);
  }
}, 120_000);
