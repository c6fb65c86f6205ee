import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { questioner } from '../../src/cli/askYesOrNo.ts';

function conversation({ isTTY = true, signal = new AbortController().signal } = {}) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const said: string[] = [];
  output.on('data', (data: Buffer) => said.push(data.toString()));
  const tty = { isTTY };
  return {
    input,
    said,
    ask: questioner({ input: Object.assign(input, tty), output: Object.assign(output, tty), signal }),
  };
}

it.each([
  ['y\n', true],
  [' YES \n', true],
  ['\n', false],
  ['yesterday\n', false],
  ['n\n', false],
])('the answer %j on a terminal means %s', async (typed, expected) => {
  const { input, said, ask } = conversation();
  const answer = ask!('Send it?');
  input.write(typed);
  expect(await answer).toBe(expected);
  expect(said.join('')).toContain('Send it? [y/N] ');
});

it('whoever ends the input, or the command, has said no', async () => {
  const { input, ask } = conversation();
  const answer = ask!('Send it?');
  input.end();
  expect(await answer).toBe(false);
  const controller = new AbortController();
  const other = conversation({ signal: controller.signal }).ask!('Send it?');
  controller.abort();
  expect(await other).toBe(false);
});

it('without a terminal nobody is asked', () => {
  expect(conversation({ isTTY: false }).ask).toBeUndefined();
});
