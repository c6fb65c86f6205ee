// What the kill test runs, in a folder of its own: a build meanwhile must not change what is tested.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * @param {string} root of the repository, built
 * @param {string} folder below node_modules, so that packages are found
 */
export async function bundleKillTest(root, folder) {
  await build({
    entryPoints: ['killGenerated', 'driveRun'].map((name) => join(root, `test/coordinator/${name}.ts`)),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    // Node finds no file by a name without its ending.
    alias: { 'vscode-jsonrpc/node': 'vscode-jsonrpc/node.js' },
    logLevel: 'warning',
  });
  for (const name of ['cli.cjs', 'cliProgram.cjs', 'worker.cjs', 'workerProgram.cjs', 'openAiPackage.cjs']) {
    cpSync(join(root, 'dist', name), join(folder, name));
  }
  return {
    folder,
    bundle: join(folder, 'killGenerated.mjs'),
    driver: join(folder, 'driveRun.mjs'),
    cli: join(folder, 'cli.cjs'),
    worker: join(folder, 'worker.cjs'),
    prompts: join(root, 'media/prompts'),
  };
}
