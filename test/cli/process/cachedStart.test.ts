import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { builtCommand } from '../builtCommand.ts';
import type { BuiltCommand } from '../builtCommand.ts';

let command: BuiltCommand;
beforeAll(async () => {
  command = await builtCommand();
  // Whoever has something to remember makes it.
  mkdirSync(join(command.folder, 'cache/espalier'), { recursive: true });
});
afterAll(() => command.remove());

it('a program that V8 takes from its cache loads what is loaded later, as it does without', async () => {
  const ask = () => command.espalier(['worker', '--queue', 'redis://127.0.0.1:1']);
  const first = await ask();
  expect(readdirSync(join(command.folder, 'cache/espalier/compiled'))).not.toEqual([]);
  expect([first.status, first.err]).toEqual([1, expect.stringContaining('[queue/unreachable]') as string]);
  expect(await ask()).toEqual(first);
});
