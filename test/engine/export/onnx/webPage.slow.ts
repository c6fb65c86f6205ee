import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pipeline } from '@huggingface/transformers';
import { chromium } from 'playwright-core';
import { afterEach, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../../src/experiment/settings.ts';
import { exportTests } from '../../../support/exports.ts';
import '../../../support/transformersJs/transformersJsModel.ts';

// The page of docs/export.md, in a browser, with a model that was pruned: nothing is asked of anyone but the server of this file.

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const missing = existsSync(CHROMIUM) ? '' : ` (skipped: no ${CHROMIUM})`;

const at = exportTests('pruned');
let server: Server | undefined;
afterEach(() => server?.close());

it.skipIf(missing !== '')(`a page goes on from a prompt as Node does${missing}`, async () => {
  const site = path.dirname(at.folder);
  const sample = path.join(ROOT, 'media/sample');
  const file = (name: string): string => path.join(sample, name);
  const report = await at.engine.exportModel(
    {
      model: sample,
      text: file('test.txt'),
      calibration: file('calibration.txt'),
      evaluations: [
        {
          metric: 'wanda-sp',
          structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: { kind: 'global' } },
          sparsity: { kind: 'unstructured', share: 0.2 },
        },
      ],
      settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 8, blocks: 2, length: 256 },
    },
    { folder: at.folder, format: 'onnx' },
  );
  expect(report.verification.difference).toBeLessThan(1e-4 * Math.max(1, report.verification.largest));
  await mkdir(path.join(site, 'models'));
  await rename(at.folder, path.join(site, 'models/tiny-30'));
  await symlink(path.join(ROOT, 'node_modules'), path.join(site, 'node_modules'));
  const docs = await readFile(path.join(ROOT, 'docs/export.md'), 'utf8');
  await writeFile(path.join(site, 'index.html'), /```html\n(.*?)```/s.exec(docs)![1]!);

  const write = await pipeline('text-generation', path.join(site, 'models/tiny-30'));
  const [inNode] = await write('Once upon a time', { max_new_tokens: 40, do_sample: false });
  const text = (inNode as { readonly generated_text: string }).generated_text;
  expect(text.length).toBeGreaterThan(60);

  const asked: string[] = [];
  server = createServer((request, response) => void answer(request.url!, site, response)).listen(0, '127.0.0.1');
  const { port } = await new Promise<AddressInfo>((found) =>
    server!.once('listening', () => {
      found(server!.address() as AddressInfo);
    }),
  );
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('pageerror', (error) => faults.push(error.message));
    await page.goto(`http://127.0.0.1:${port}/index.html`);
    await page.waitForFunction('!document.getElementById("go").disabled', undefined, { timeout: 120_000 });
    await page.click('#go');
    await page.waitForFunction('document.getElementById("answer").textContent !== ""', undefined, { timeout: 60_000 });
    expect(await page.textContent('#answer')).toBe(text);
    expect(faults).toEqual([]);
    expect(asked.filter((url) => !/^(blob:)?http:\/\/127\.0\.0\.1/.test(url))).toEqual([]);
  } finally {
    await browser.close();
  }
});

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** A server of files and nothing else. */
async function answer(url: string, site: string, response: ServerResponse): Promise<void> {
  const file = path.join(site, decodeURIComponent(new URL(url, 'http://localhost').pathname));
  const bytes = await readFile(file).catch(() => undefined);
  response.writeHead(bytes ? 200 : 404, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' });
  response.end(bytes);
}
