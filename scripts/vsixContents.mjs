// Reads the list of files in a VSIX and says what must not be in it, or is missing.
import { readFileSync } from 'node:fs';

/** Platforms that a VSIX is made for, with the folder of their native library inside onnxruntime-node. */
export const TARGETS = {
  'linux-x64': 'linux/x64',
  'linux-arm64': 'linux/arm64',
  'darwin-arm64': 'darwin/arm64',
  'win32-x64': 'win32/x64',
  'win32-arm64': 'win32/arm64',
};

const BINARIES = 'extension/dist/node_modules/onnxruntime-node/bin/napi-v6/';

const SAMPLE = 'extension/media/sample/';

const REQUIRED = [
  'extension/package.json',
  'extension/readme.md',
  'extension/changelog.md',
  'extension/LICENSE.txt',
  'extension/THIRD_PARTY_NOTICES.txt',
  'extension/media/icon.png',
  'extension/media/prune.tmLanguage.json',
  'extension/media/language-configuration.json',
  'extension/media/activity.svg',
  'extension/media/compare-dark.svg',
  'extension/media/compare-light.svg',
  'extension/media/search-dark.svg',
  'extension/media/search-light.svg',
  'extension/media/walkthrough/evolve.md',
  ...['initialise', 'mutate', 'cross', 'again'].map((name) => `extension/media/prompts/${name}.md`),
  ...[
    'README.md',
    'calibration.txt',
    'config.json',
    'metrics.prune',
    'model.safetensors',
    'test.txt',
    'tokenizer.json',
  ].map((name) => `${SAMPLE}${name}`),
  'extension/dist/extension.cjs',
  'extension/dist/application.cjs',
  'extension/dist/languageServer.cjs',
  'extension/dist/worker.cjs',
  'extension/dist/workerProgram.cjs',
  'extension/dist/hubPackage.cjs',
  'extension/dist/mcpPackage.cjs',
  'extension/dist/queuePackage.cjs',
  'extension/dist/openAiPackage.cjs',
  'extension/dist/webview/panel.js',
  'extension/dist/webview/panel.css',
  'extension/dist/node_modules/onnxruntime-node/dist/index.js',
  'extension/dist/node_modules/onnxruntime-common/dist/cjs/index.js',
];

const FORBIDDEN = [
  [/\.map$/, 'source map'],
  [/\.ts$/, 'TypeScript source'],
  [/(^|\/)(tests?|bench|src|scripts|docs|examples?)\//, 'development file'],
  [/(?<!^extension\/media\/sample\/model)\.(safetensors|onnx|vsix|tmp|log)$/, 'data that does not belong'],
  [/(^|\/)\.(git|cache|espalier|env)/, 'hidden file'],
];

/**
 * @param {readonly string[]} files names in the VSIX
 * @param {keyof typeof TARGETS} target
 * @returns {string[]} what is wrong, a sentence each; none where all is well
 */
export function findProblems(files, target) {
  const own = `${BINARIES}${TARGETS[target]}/`;
  const problems = REQUIRED.filter((file) => !files.includes(file)).map((file) => `${file} is missing`);
  for (const file of files) {
    if (file.startsWith(BINARIES) && !file.startsWith(own))
      problems.push(`${file} is of another platform than ${target}`);
    for (const [pattern, what] of FORBIDDEN) if (pattern.test(file)) problems.push(`${file} is a ${what}`);
    if (/\.(node|so|dll|dylib)(\.|$)/.test(file) && !file.startsWith(own))
      problems.push(`${file} is a native library in the wrong place`);
  }
  if (!files.includes(`${own}onnxruntime_binding.node`)) problems.push(`${own}onnxruntime_binding.node is missing`);
  if (
    !files.some(
      (file) => file.startsWith(own) && /onnxruntime\.(so|dll|1\.dylib)|libonnxruntime\.(so|1\.dylib)/.test(file),
    )
  ) {
    problems.push(`the native library in ${own} is missing`);
  }
  if (files.filter((file) => file.endsWith('.dylib')).length > 1) problems.push('the dylib is there twice');
  return problems;
}

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;

/**
 * Names and sizes of the files in a VSIX, which is a ZIP: read from its central directory.
 *
 * @param {string} vsix
 * @returns {{ name: string, size: number, compressed: number }[]}
 */
export function listFiles(vsix) {
  const bytes = readFileSync(vsix);
  let end = bytes.length - 22;
  while (end >= 0 && bytes.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
  if (end < 0) throw new Error(`${vsix} is no ZIP file`);
  const count = bytes.readUInt16LE(end + 10);
  const files = [];
  let offset = bytes.readUInt32LE(end + 16);
  for (let i = 0; i < count; i++) {
    if (bytes.readUInt32LE(offset) !== DIRECTORY_ENTRY) throw new Error(`${vsix} has a damaged directory`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((at) => bytes.readUInt16LE(offset + at));
    const name = bytes.toString('utf8', offset + 46, offset + 46 + nameLength);
    files.push({ name, size: bytes.readUInt32LE(offset + 24), compressed: bytes.readUInt32LE(offset + 20) });
    offset += 46 + nameLength + extraLength + commentLength;
  }
  return files;
}
