import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node.js';
import { createConnection } from 'vscode-languageserver/node.js';
import { FIRST_DOCUMENTS_NOTIFICATION, TASK_FILES_NOTIFICATION } from '../../../src/language/server/messages.ts';
import type { FirstDocumentsParams, TaskFilesParams } from '../../../src/language/server/messages.ts';
import { startServer } from '../../../src/language/server/server.ts';

interface Told {
  readonly uri: string;
  readonly diagnostics: readonly { readonly code: string; readonly message: string }[];
}

it('the server tells which files tasks name, and says what their first documents lack', async () => {
  const [up, down] = [new PassThrough(), new PassThrough()];
  startServer(createConnection(new StreamMessageReader(up), new StreamMessageWriter(down)));
  const client = createMessageConnection(new StreamMessageReader(down), new StreamMessageWriter(up));
  const files: TaskFilesParams[] = [];
  const told: Told[] = [];
  client.onNotification(TASK_FILES_NOTIFICATION, (params: TaskFilesParams) => files.push(params));
  client.onNotification('textDocument/publishDiagnostics', (params: Told) => told.push(params));
  client.listen();
  await client.sendRequest('initialize', { processId: null, rootUri: null, capabilities: {} });
  await client.sendNotification('initialized', {});

  const uri = pathToFileURL(resolve('/project/a.prune')).href;
  const textDocument = { uri };
  const text =
    'task mine = "m.jsonl" (context: "{qestion}", choices: choices, gold: label)\n' +
    'task there = "hf:o/n/c:s" (context: "{q}", choices: c, gold: g)\n';
  const until = (isThere: () => boolean) => expect.poll(isThere, { interval: 5 }).toBe(true);
  await client.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'prune', version: 1, text },
  });
  const file = resolve('/project/m.jsonl');
  await until(() => files.length === 1);
  expect(files[0]).toEqual({ uri, files: [file] });
  expect(told.at(-1)!.diagnostics).toEqual([]);

  const first = { documents: [{ question: 'Why?', choices: ['a', 'b'], label: 1 }] };
  await client.sendNotification(FIRST_DOCUMENTS_NOTIFICATION, { file, first } satisfies FirstDocumentsParams);
  await until(() => told.at(-1)!.diagnostics.length === 1);
  expect(told.at(-1)!.diagnostics[0]).toMatchObject({ code: 'task/documents' });
  const range = { start: { line: 0, character: 35 }, end: { line: 0, character: 35 } };
  const actions = await client.sendRequest('textDocument/codeAction', {
    ...{ textDocument, range, context: { diagnostics: [] } },
  });
  expect(actions).toMatchObject([{ title: 'Replace with `question`' }]);
  const items = await client.sendRequest('textDocument/completion', {
    ...{ textDocument, position: { line: 0, character: 36 } },
  });
  expect(items).toMatchObject([{ label: 'question' }, { label: 'choices' }, { label: 'label' }]);

  // The mistake is mended; the file stays the same, and is not told again.
  await client.sendNotification('textDocument/didChange', {
    textDocument: { uri, version: 2 },
    contentChanges: [{ range: { start: { line: 0, character: 35 }, end: { line: 0, character: 35 } }, text: 'u' }],
  });
  await until(() => told.at(-1)!.diagnostics.length === 0);
  const hover = await client.sendRequest('textDocument/hover', { textDocument, position: { line: 0, character: 6 } });
  expect(JSON.stringify(hover)).toContain('← right');
  await client.sendNotification(FIRST_DOCUMENTS_NOTIFICATION, { file, first: { problem: 'no such file' } });
  await until(() => told.at(-1)!.diagnostics.length === 1);
  expect(told.at(-1)!.diagnostics[0]!.message).toBe('no such file');
  expect(files).toHaveLength(1);

  await client.sendNotification('textDocument/didClose', { textDocument });
  await until(() => files.length === 2);
  expect(files[1]).toEqual({ uri, files: [] });
  client.dispose();
});
