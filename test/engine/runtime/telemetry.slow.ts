import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltCommand, builtCommand } from '../../cli/builtCommand.ts';
import { hasNamespaces, leftByCommand, leftByPlainLibrary, LOADING } from '../../support/quiet.ts';

/** The library's first upload comes nine seconds after its start. */
const HOLD_SECONDS = 13;

let command: BuiltCommand;
beforeAll(async () => {
  command = await builtCommand();
}, 120_000);
afterAll(() => command.remove());

const reason = hasNamespaces ? '' : ' (skipped: no network namespaces here)';

describe.skipIf(!hasNamespaces).concurrent(`no process opens a connection${reason}`, () => {
  it.each(Object.entries(LOADING))('%s', async (_, words) => {
    const { status, output, attempts } = await leftByCommand(command, words, HOLD_SECONDS);
    expect([status, output]).toEqual([0, expect.any(String)]);
    expect(attempts).toBe(0);
  });

  it('the native library by itself does, so this would be seen', async () => {
    const { attempts } = await leftByPlainLibrary(command, HOLD_SECONDS);
    expect(attempts).toBeGreaterThan(0);
  });
});
