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
const GREEDY = { max_new_tokens: 40, do_sample: false } as const;
/** WebGPU on a processor: Chromium's own. */
const SOFTWARE_GPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'];

const at = exportTests('pruned');
let server: Server | undefined;
afterEach(() => server?.close());

it.skipIf(missing !== '')(`a page goes on from a prompt as Node does, also on WebGPU${missing}`, async () => {
  const site = path.dirname(at.folder);
  await exportSample();
  await mkdir(path.join(site, 'models'));
  await rename(at.folder, path.join(site, 'models/tiny-30'));
  await symlink(path.join(ROOT, 'node_modules'), path.join(site, 'node_modules'));
  const page = /```html\n(.*?)```/s.exec(await readFile(path.join(ROOT, 'docs/export.md'), 'utf8'))![1]!;
  await writeFile(path.join(site, 'index.html'), page);
  await writeFile(path.join(site, 'gpu.html'), page.replace("'tiny-30')", "'tiny-30', { device: 'webgpu' })"));

  const write = await pipeline('text-generation', path.join(site, 'models/tiny-30'));
  const [inNode] = (await write('Once upon a time', GREEDY)) as unknown as readonly {
    readonly generated_text: string;
  }[];
  expect(inNode!.generated_text.length).toBeGreaterThan(60);
  const origin = await serve(site);
  expect(await answerOf(`${origin}/index.html`, origin)).toBe(inNode!.generated_text);
  expect(await answerOf(`${origin}/gpu.html`, origin)).toBe(inNode!.generated_text);
});

async function exportSample(): Promise<void> {
  const file = (name: string): string => path.join(ROOT, 'media/sample', name);
  const report = await at.engine.exportModel(
    {
      model: file('.'),
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
}

/** What stands in the page after its button was pressed. */
async function answerOf(url: string, origin: string): Promise<string | null> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', ...SOFTWARE_GPU] });
  try {
    const page = await browser.newPage();
    const [faults, elsewhere]: [string[], string[]] = [[], []];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (
        !request
          .url()
          .replace(/^blob:/, '')
          .startsWith(origin)
      )
        elsewhere.push(request.url());
    });
    await page.goto(url);
    await page.waitForFunction('!document.getElementById("go").disabled', undefined, { timeout: 120_000 });
    await page.click('#go');
    await page.waitForFunction('document.getElementById("answer").textContent !== ""', undefined, { timeout: 120_000 });
    expect([faults, elsewhere]).toEqual([[], []]);
    return await page.textContent('#answer');
  } finally {
    await browser.close();
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** A server of files and nothing else. @returns its origin */
async function serve(site: string): Promise<string> {
  server = createServer((request, response) => {
    void sendFile(path.join(site, decodeURIComponent(new URL(request.url!, 'http://localhost').pathname)), response);
  });
  await new Promise<void>((listening) => server!.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function sendFile(file: string, response: ServerResponse): Promise<void> {
  const bytes = await readFile(file).catch(() => undefined);
  response.writeHead(bytes ? 200 : 404, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' });
  response.end(bytes);
}
