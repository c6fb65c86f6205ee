#!/usr/bin/env node
// Makes a VSIX for one platform, with that platform's native library alone, and checks what is in it.
// Usage: package.mjs [--target linux-x64|linux-arm64|darwin-arm64|win32-x64|win32-arm64] [--all] [--out FOLDER]
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createVSIX } from '@vscode/vsce';
import { findProblems, listFiles, TARGETS } from './vsixContents.mjs';

const { values } = parseArgs({
  options: { target: { type: 'string' }, all: { type: 'boolean' }, out: { type: 'string', default: '.' } },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const targets = values.all ? Object.keys(TARGETS) : [values.target ?? `${process.platform}-${process.arch}`];

for (const target of targets) {
  if (!(target in TARGETS)) {
    console.error(`package: ${target} is not built; choose one of ${Object.keys(TARGETS).join(', ')}`);
    process.exit(2);
  }
  const vsix = await packageFor(target);
  const files = listFiles(vsix);
  const problems = findProblems(
    files.map(({ name }) => name),
    target,
  );
  for (const problem of problems) console.error(`package: ${problem}`);
  if (problems.length > 0) process.exit(1);
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  const unpacked = files.reduce((sum, { size }) => sum + size, 0);
  console.log(
    `${relative(process.cwd(), vsix)}: ${megabytes(statSync(vsix).size)} (${files.length} files, ${megabytes(unpacked)} unpacked)`,
  );
}

/** Everything goes through a folder of its own, so that the checkout never holds another platform's library. */
async function packageFor(target) {
  const stage = join(root, '.cache/package', target);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(join(stage, 'dist'), { recursive: true });
  const copy = (name) => cpSync(join(root, name), join(stage, name), { recursive: true });
  for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE', '.vscodeignore', 'media'])
    if (existsSync(join(root, name))) copy(name);
  for (const bundle of [
    'extension',
    'application',
    'languageServer',
    'worker',
    'workerProgram',
    'cli',
    'cliProgram',
    'hubPackage',
    'mcpPackage',
    'queuePackage',
    'openAiPackage',
  ])
    copy(`dist/${bundle}.cjs`);
  copy('dist/webview');
  cpSync(join(root, 'dist/THIRD_PARTY_NOTICES.txt'), join(stage, 'THIRD_PARTY_NOTICES.txt'));
  copyOnnxruntime(join(stage, 'dist/node_modules'), target);

  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // Bundled or of no use where it is installed.
  for (const field of ['dependencies', 'devDependencies', 'optionalDependencies', 'scripts', 'private', 'bin'])
    delete manifest[field];
  writeFileSync(join(stage, 'package.json'), JSON.stringify(manifest, undefined, 2));

  mkdirSync(values.out, { recursive: true });
  const packagePath = join(values.out, `${manifest.name}-${target}-${manifest.version}.vsix`);
  await createVSIX({
    cwd: stage,
    packagePath,
    target,
    dependencies: false,
    allowMissingRepository: true,
    rewriteRelativeLinks: false,
    skipLicense: false,
  });
  return packagePath;
}

/** What `require('onnxruntime-node')` needs at run time on one platform; the bundles find it below their own folder. */
function copyOnnxruntime(modules, target) {
  const from = join(root, 'node_modules');
  const isCode = (file) => /\.(js|json)$/.test(file) || statSync(file).isDirectory();
  for (const part of [
    'onnxruntime-node/package.json',
    'onnxruntime-node/dist',
    'onnxruntime-common/package.json',
    'onnxruntime-common/dist/cjs',
  ]) {
    cpSync(join(from, part), join(modules, part), { recursive: true, filter: isCode });
  }
  const binaries = join('onnxruntime-node/bin/napi-v6', TARGETS[target]);
  for (const name of readdirSync(join(from, binaries))) {
    // macOS has its library twice, byte for byte; the binding asks for the one named after the major version.
    if (/\.\d+\.\d+\.\d+\.dylib$/.test(name)) continue;
    cpSync(join(from, binaries, name), join(modules, binaries, name));
  }
}
