import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { bundledPackages, noticesOf } from '../../scripts/notices.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const { dependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  dependencies: Readonly<Record<string, string>>;
};

/** What is in a bundle of these files. */
async function packagesOf(...entryPoints: string[]): Promise<string[]> {
  const options = { bundle: true, write: false, metafile: true, outdir: 'out', absWorkingDir: ROOT } as const;
  const { metafile } = await build({ ...options, entryPoints, logLevel: 'silent' });
  return bundledPackages([metafile]);
}

describe('the licenses of others', () => {
  it('are those of the packages whose code is in a bundle', async () => {
    // A view holds a package of a package, too; and types alone leave nothing behind.
    expect(await packagesOf('webview-ui/panel/main.ts')).toEqual(
      ['@kurkle/color', 'chart.js', 'chartjs-plugin-zoom', 'd3-hierarchy', 'hammerjs'].map(
        (name) => `node_modules/${name}`,
      ),
    );
    expect(await packagesOf('src/base/errors.ts')).toEqual([]);
    const nested = 'node_modules/a/node_modules/@b/c/d.js';
    expect(bundledPackages([{ outputs: { out: { inputs: { [nested]: {} } } } } as never])).toEqual([
      'node_modules/a/node_modules/@b/c',
    ]);
  });

  it('are told in full, each text once, of what is bundled and of what travels beside', () => {
    const names = Object.keys(dependencies);
    const notices = noticesOf(
      names.map((name) => `node_modules/${name}`),
      ROOT,
    );
    for (const name of [...names, 'onnxruntime-common']) {
      expect(notices).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(.+\\)$`, 'm'));
    }
    for (const section of notices.split(/^=+$/m).slice(1)) expect(section.length).toBeGreaterThan(500);
    expect(notices).toContain('Apache License\n');
    expect(notices.split('Copyright (c) Microsoft Corporation\n\nPermission').length).toBe(2);
  });

  it('are missing of no package', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'espalier-notices-'));
    await writeFile(path.join(folder, 'package.json'), '{"name":"bare","version":"1.0.0","license":"MIT"}');
    expect(() => noticesOf([path.relative(ROOT, folder)], ROOT)).toThrow('bare has no license text');
    await rm(folder, { recursive: true });
  });
});
