import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { execFileSync, spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TOOLS } from '../../../src/agents/tools.ts';
import { agentWorkspace, FILE } from '../../agents/agentWorkspace.ts';
import type { AgentWorkspace } from '../../agents/agentWorkspace.ts';
import { ROOT } from '../builtCommand.ts';

let workspace: AgentWorkspace;
beforeAll(async () => {
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/setup.mjs')], { stdio: 'ignore' });
  workspace = await agentWorkspace();
}, 180_000);
afterAll(() => workspace.remove());

const CLI = path.join(ROOT, 'dist/cli.cjs');

async function withClient(flags: readonly string[], act: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ name: 'test', version: '1' });
  const env = { PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: path.join(workspace.root, '../cache') };
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [CLI, 'mcp', ...flags], cwd: workspace.root, env }),
  );
  try {
    await act(client);
  } finally {
    await client.close();
  }
}

async function call(client: Client, name: string, input: Record<string, unknown>) {
  const { content, isError } = await client.callTool({ name, arguments: input });
  const [{ text }] = content as [{ text: string }];
  return { isError, answer: JSON.parse(text) as Record<string, unknown> };
}

it('a client of the protocol’s own library sees the tools, reads, and is refused what nobody allowed', async () => {
  await withClient([], async (client) => {
    expect(client.getServerVersion()).toMatchObject({ name: 'espalier' });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(TOOLS.map(({ name }) => name));
    for (const { name, annotations } of tools)
      expect([name, annotations?.readOnlyHint]).toEqual([name, name !== 'propose_metric']);
    expect(await call(client, 'list_files', {})).toEqual({ isError: false, answer: { files: ['metrics.prune'] } });
    expect(await call(client, 'read_run', { run: workspace.run })).toMatchObject({ isError: false });
    for (const [name, input, code] of [
      ['evaluate_formula', { file: 'metrics.prune', formula: 'W' }, 'agents/not-allowed'],
      ['propose_metric', { file: 'metrics.prune', name: 'mine', formula: 'W' }, 'agents/not-allowed'],
      ['read_experiments', { file: '../beside.prune' }, 'agents/outside'],
      ['none', {}, 'agents/input'],
    ] as const) {
      expect(await call(client, name, input)).toMatchObject({ isError: true, answer: { error: { code } } });
    }
    expect(await readFile(path.join(workspace.root, 'metrics.prune'), 'utf8')).toBe(FILE);
  });
});

it('evaluates as the command line does, tells how far it is, and writes what it may', async () => {
  await withClient(['--allow', 'evaluate', '--allow', 'write'], async (client) => {
    const told: number[] = [];
    const asked = { name: 'evaluate_formula', arguments: { file: 'metrics.prune', formula: 'W * sqrt(X)' } };
    const { content } = await client.callTool(asked, undefined, { onprogress: ({ progress }) => told.push(progress) });
    const [{ text }] = content as [{ text: string }];
    const { evaluations } = JSON.parse(text) as { evaluations: { perplexity: number; fingerprint: string }[] };
    const line = execFileSync(process.execPath, [CLI, 'evaluate', 'metrics.prune', '--json'], {
      cwd: workspace.root,
      encoding: 'utf8',
    });
    const lines = line
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each) as { metric: string; perplexity: number });
    expect(evaluations.map(({ perplexity }) => perplexity)).toEqual(
      lines.filter(({ metric }) => metric === 'wanda').map(({ perplexity }) => perplexity),
    );
    expect(told.length).toBeGreaterThan(0);
    expect(await call(client, 'propose_metric', { file: 'metrics.prune', name: 'mine', formula: 'W' })).toMatchObject({
      isError: false,
    });
    expect(await readFile(path.join(workspace.root, 'metrics.prune'), 'utf8')).toContain('metric mine = W\n');
  });
}, 60_000);

it.each([
  ['no JSON', 'this is none\n'],
  ['JSON that is no message', '[1,2]\n{"jsonrpc":"1.0"}\n'],
  ['a message of no end', `{"jsonrpc":"2.0","id":1,"method":"${'x'.repeat(9 << 20)}`],
])('%s: it says so, answers nothing, and leaves when it is left', async (_, sent) => {
  const child = spawn(process.execPath, [CLI, 'mcp'], { cwd: workspace.root });
  const said = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => (said.out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (said.err += data.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(sent);
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect({ status, out: said.out }).toEqual({ status: 0, out: '' });
  expect(said.err).toContain('not of the protocol');
  expect(said.err.length).toBeLessThan(2000);
});
