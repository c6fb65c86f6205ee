import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BuiltCommand, builtCommand } from '../../cli/builtCommand.ts';
import { leftByCommand, leftByPlainLibrary, LOADING } from '../../support/quiet.ts';

let command: BuiltCommand;
beforeAll(async () => {
  command = await builtCommand();
}, 120_000);
afterAll(() => command.remove());

/** Our own; and what drivers of graphics cards keep when they are tried. */
const EXPECTED = /^cache\/(espalier|mesa_shader_cache\w*|nvidia|radv_builtin_shaders\w*)\//;

describe('no process leaves a device id or a database of events, whatever the environment says', () => {
  it.each(Object.entries(LOADING))('%s', async (_, words) => {
    const { status, output, files } = await leftByCommand(command, words);
    expect([status, output]).toEqual([0, expect.any(String)]);
    expect(files.filter((file) => !EXPECTED.test(file))).toEqual([]);
  });

  // On Windows the library has no such files: it hands its events to the system.
  it.skipIf(process.platform === 'win32')('the native library by itself does, so this would be seen', async () => {
    const { files } = await leftByPlainLibrary(command);
    expect(files.map((file) => file.split('/').at(-1))).toEqual(expect.arrayContaining(['deviceid', 'onnxruntime.db']));
  });
});
