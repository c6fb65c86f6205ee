import net from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { builtCommand, INPUTS, jsonLines } from '../builtCommand.ts';
import type { BuiltCommand, Running } from '../builtCommand.ts';

let built: BuiltCommand;
beforeAll(async () => {
  built = await builtCommand();
}, 180_000);
afterAll(() => built.remove());

/** The first line that is printed. */
function firstLine(child: Running): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    child.stdout.on('data', (data: Buffer) => {
      said += data.toString();
      if (said.includes('\n')) resolve(said.split('\n')[0]!);
    });
  });
}

it.each([
  ['a checkpoint', ['model', '--device', 'cpu', '--threads', '1'], 'model'],
  ['what pruning makes of it', [...INPUTS, '--expression', 'W * sqrt(X)', '--sparsity', '50%'], 'model:W*sqrt(X):50%'],
])('%s is served until Ctrl-C', async (_, words, name) => {
  let said: Promise<unknown> | undefined;
  const ended = await built.espalier(['serve', ...words, '--port', '0', '--json'], {
    env: { ESPALIER_SERVE_TOKEN: 'sesame' },
    during: (child) => {
      said = firstLine(child).then(async (line) => {
        const { url } = JSON.parse(line) as { url: string };
        const ask = (headers: Record<string, string>): Promise<Response> =>
          fetch(`${url}/completions`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...headers },
            body: JSON.stringify({ prompt: [5, 6], max_tokens: 1 }),
          });
        const answers = [await ask({}), await ask({ authorization: 'Bearer sesame' })];
        child.kill('SIGINT');
        return [answers[0]!.status, ((await answers[1]!.json()) as { model: string }).model];
      });
    },
  });
  expect(await said).toEqual([401, name]);
  expect(ended.status).toBe(130);
});

it('a port that is taken is said before anything is read', async () => {
  const taken = net.createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as net.AddressInfo;
  const ended = await built.espalier(['serve', 'no-such-model', '--port', String(port), '--json']);
  taken.close();
  expect([ended.status, jsonLines(ended)[0]!['error']]).toMatchObject([2, { code: 'serve/address' }]);
});
