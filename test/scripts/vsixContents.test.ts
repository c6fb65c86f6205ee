import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProblems, listFiles } from '../../scripts/vsixContents.mjs';

const SAMPLE = 'README.md calibration.txt config.json metrics.prune model.safetensors test.txt tokenizer.json'.split(
  ' ',
);
const PROMPTS = ['initialise', 'mutate', 'cross', 'again'].map((name) => `prompts/${name}.md`);
const MODULES = 'extension/dist/node_modules';
const good = (os: string, library: string): string[] => [
  '[Content_Types].xml',
  'extension.vsixmanifest',
  ...[
    'package.json',
    'readme.md',
    'changelog.md',
    'LICENSE.txt',
    'THIRD_PARTY_NOTICES.txt',
    'media/icon.png',
    'media/prune.tmLanguage.json',
  ].map((name) => `extension/${name}`),
  'extension/media/language-configuration.json',
  ...[
    'activity.svg',
    'compare-dark.svg',
    'compare-light.svg',
    'search-dark.svg',
    'search-light.svg',
    'walkthrough/evolve.md',
    ...PROMPTS,
  ].map((name) => `extension/media/${name}`),
  ...SAMPLE.map((name) => `extension/media/sample/${name}`),
  ...[
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
  ].map((name) => `extension/dist/${name}.cjs`),
  ...['panel.js', 'panel.css'].map((name) => `extension/dist/webview/${name}`),
  `${MODULES}/onnxruntime-node/dist/index.js`,
  `${MODULES}/onnxruntime-common/dist/cjs/index.js`,
  `${MODULES}/onnxruntime-node/bin/napi-v6/${os}/onnxruntime_binding.node`,
  `${MODULES}/onnxruntime-node/bin/napi-v6/${os}/${library}`,
];

describe('what is in a VSIX', () => {
  it.each([
    ['linux-x64', 'linux/x64', 'libonnxruntime.so.1'],
    ['linux-arm64', 'linux/arm64', 'libonnxruntime.so.1'],
    ['darwin-arm64', 'darwin/arm64', 'libonnxruntime.1.dylib'],
    ['win32-x64', 'win32/x64', 'onnxruntime.dll'],
    ['win32-arm64', 'win32/arm64', 'onnxruntime.dll'],
  ] as const)('%s with its own library has no problem', (target, os, library) => {
    expect(findProblems(good(os, library), target)).toEqual([]);
  });

  it.each([
    [
      'another platform’s library',
      [`${MODULES}/onnxruntime-node/bin/napi-v6/win32/x64/onnxruntime.dll`],
      /another platform/,
    ],
    ['a source map', ['extension/dist/worker.cjs.map'], /source map/],
    ['a test', ['extension/test/a.js'], /development file/],
    ['source', ['extension/src/extension/main.ts'], /TypeScript source/],
    ['weights', ['extension/media/model.safetensors'], /does not belong/],
    ['what training leaves half written', ['extension/media/sample/model.safetensors.tmp'], /does not belong/],
    ['kept evaluations', ['extension/.espalier/evaluations/a.json'], /hidden file/],
    ['a library elsewhere', ['extension/dist/libonnxruntime.so.1'], /wrong place/],
  ])('%s is a problem', (_, extra, problem) => {
    const problems = findProblems([...good('linux/x64', 'libonnxruntime.so.1'), ...extra], 'linux-x64');
    expect(problems.join('\n')).toMatch(problem);
  });

  it('what is missing is a problem', () => {
    const files = good('linux/x64', 'libonnxruntime.so.1');
    for (const file of files.slice(2)) {
      if (/\/cli(Program)?\.cjs$/.test(file)) continue;
      expect(
        findProblems(
          files.filter((other) => other !== file),
          'linux-x64',
        ),
      ).not.toEqual([]);
    }
    expect(
      findProblems(
        [
          ...good('darwin/arm64', 'libonnxruntime.1.dylib'),
          `${MODULES}/onnxruntime-node/bin/napi-v6/darwin/arm64/libonnxruntime.1.30.0.dylib`,
        ],
        'darwin-arm64',
      ),
    ).not.toEqual([]);
  });

  it('is read from the central directory of the ZIP', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'espalier-zip-'));
    const file = path.join(folder, 'a.vsix');
    // An archive of one stored file, "a/b.txt", with a comment at its end.
    const name = Buffer.from('a/b.txt');
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt32LE(2, 20);
    entry.writeUInt32LE(3, 24);
    entry.writeUInt16LE(name.length, 28);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(1, 10);
    end.writeUInt32LE(local.length + name.length + 2, 16);
    end.writeUInt16LE(4, 20);
    writeFileSync(file, Buffer.concat([local, name, Buffer.from('hi'), entry, name, end, Buffer.from('note')]));
    expect(listFiles(file)).toEqual([{ name: 'a/b.txt', size: 3, compressed: 2 }]);
    rmSync(folder, { recursive: true });
  });
});
