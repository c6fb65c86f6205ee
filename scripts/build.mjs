#!/usr/bin/env node
// Bundles every process's entry point into dist/, with the licenses of what is in the bundles. Usage: build.mjs [--dev] [--watch]
//   --dev    source maps, nothing minified
//   --watch  stays, and rebuilds what changes
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, context } from 'esbuild';
import { bundledPackages, noticesOf } from './notices.mjs';

/**
 * Bundle → entry point. Each bundle is a process of its own, so each carries all that it needs, native libraries aside. The
 * extension alone is two: what activates is small, and loads the application once the editor goes on. Those of worker and command line have a
 * small one before them, which starts them fast. Worker and command line load the
 * client for language models when one is asked and that for queues when one is named, command line and extension that for the Hugging Face hub.
 */
const ENTRY_POINTS = {
  extension: 'src/extension/main.ts',
  application: 'src/extension/application.ts',
  languageServer: 'src/language/server/main.ts',
  worker: 'src/worker/start.ts',
  workerProgram: 'src/worker/main.ts',
  cli: 'src/cli/start.ts',
  cliProgram: 'src/cli/main.ts',
  bench: 'bench/main.ts',
  benchSpeed: 'bench/speed.ts',
  benchBudget: 'bench/budget.ts',
  benchCosts: 'bench/costs.ts',
  benchObjective: 'bench/objective.ts',
  benchRecovery: 'bench/recovery.ts',
  benchUpdates: 'bench/updates.ts',
  benchTasks: 'bench/tasks.ts',
  benchPruning: 'bench/pruning.ts',
  benchPreflights: 'bench/preflights.ts',
  benchMemory: 'bench/memory.ts',
  benchBus: 'bench/bus/main.ts',
  benchQueue: 'bench/queue/main.ts',
  benchAttention: 'bench/attention.ts',
  benchBackward: 'bench/backward.ts',
  benchCompare: 'bench/compare/main.ts',
  benchSteady: 'bench/steady/main.ts',
  study: 'bench/study/main.ts',
  openAiPackage: 'src/llm/openAiPackage.ts',
  hubPackage: 'src/hub/hubPackage.ts',
  mcpPackage: 'src/agents/mcp/mcpPackage.ts',
  queuePackage: 'src/queue/queuePackage.ts',
  structureStudy: 'bench/structureStudy/main.ts',
  recoveryStudy: 'bench/recoveryStudy/main.ts',
  sample: 'tools/sample/main.ts',
};

/** Views, which run in a browser: bundle in dist/webview → entry point. A style sheet that one imports comes out beside it. */
const VIEWS = {
  panel: 'webview-ui/panel/main.ts',
  tree: 'webview-ui/tree/main.ts',
  tryIt: 'webview-ui/try/main.ts',
  comparison: 'webview-ui/compare/main.ts',
};

/** Bundles that run in a process of somebody else's, or compute nothing. */
const GUESTS = [
  'extension',
  'application',
  'languageServer',
  'openAiPackage',
  'hubPackage',
  'mcpPackage',
  'queuePackage',
];

/**
 * V8's young generation stays as small as it begins, 3 MiB: it grows to 48 MiB otherwise, and gives nothing back. The large data of an engine lie outside
 * of V8's heap, and tokenising, which makes most of what lies in it, takes no longer by that. It has to be said before anything is loaded.
 */
const SMALL_YOUNG_GENERATION = `require('node:v8').setFlagsFromString('--semi-space-growth-factor=1');`;

/** What tokens that are kept on disk depend on: whoever changes any of it must not be given what it made before. */
const TOKENISING = [
  'src/engine/corpus',
  'src/engine/tokenizer',
  'src/experiment/corpusRows.ts',
  'src/experiment/otherPerplexities.ts',
];

/** Entry points of what does without schemas. */
const LEAN = [ENTRY_POINTS.extension, ENTRY_POINTS.languageServer, ...Object.values(VIEWS)];

/** @type {import('esbuild').Plugin} */
const LOADED_LATER = {
  name: 'loaded-later',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/(application|openAiPackage|hubPackage|mcpPackage|queuePackage)\.ts$/ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path: path.replace(/^.*\/(\w+)\.ts$/, './$1.cjs'), external: true } : undefined,
    );
  },
};

/**
 * What the hub's library needs for uploads: nothing of it is called, and it says so nowhere, so that it would stay in the bundle.
 * @type {import('esbuild').Plugin}
 */
const WITHOUT_UPLOADS = {
  name: 'without-uploads',
  setup: ({ onResolve, resolve }) => {
    onResolve(
      { filter: /^(@huggingface\/(xetchunk-wasm|blake3-jit)|gearhash-jit)/ },
      async ({ path, pluginData, ...from }) => {
        if (pluginData === WITHOUT_UPLOADS) return undefined;
        const found = await resolve(path, { ...from, pluginData: WITHOUT_UPLOADS });
        return { path: found.path, sideEffects: false };
      },
    );
  },
};

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const dev = process.argv.includes('--dev');
const watch = process.argv.includes('--watch');
const began = new Date();
const TOKENISING_SOURCES = hashOfSources(TOKENISING);

mkdirSync('dist', { recursive: true });
const bundles = [
  ...Object.entries(ENTRY_POINTS).map(([name, entry]) => processOptions(name, entry)),
  ...Object.entries(VIEWS).map(([name, entry]) => viewOptions(name, entry)),
].map((options) => (watch ? watchBundle(options) : build(options)));
// One bundle that fails (esbuild has said why by then) must not leave the others half written.
const outcomes = await Promise.allSettled(bundles);
if (outcomes.some(({ status }) => status === 'rejected')) process.exit(1);
if (!watch) {
  if (!dev) for (const name of Object.keys(ENTRY_POINTS)) writeInAscii(`dist/${name}.cjs`);
  const all = outcomes.map(({ value }) => value.metafile);
  for (const { outputs } of all) checkLean(outputs);
  const metafiles = all.filter(({ outputs }) => !isForMakers(outputs));
  writeFileSync('dist/THIRD_PARTY_NOTICES.txt', noticesOf(bundledPackages(metafiles), root));
}
chmodSync('dist/cli.cjs', 0o755);
// setup.mjs compares the sources with this stamp; it says when the build began, so an edit made meanwhile counts as newer.
writeFileSync('dist/.built', '');
utimesSync('dist/.built', began, began);

/**
 * A source with a single character beyond Latin-1 is kept in memory with two bytes for each of its characters. What esbuild leaves of them stands in regular
 * expressions, where an escape means the same.
 */
function writeInAscii(file) {
  const code = readFileSync(file, 'utf8');
  const escaped = code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (escaped !== code) writeFileSync(file, escaped);
}

/** sha-256, hex, over files and the files of folders. */
function hashOfSources(places) {
  const hash = createHash('sha256');
  const files = places.flatMap((place) =>
    place.endsWith('.ts') ? [place] : readdirSync(place).map((name) => `${place}/${name}`),
  );
  for (const file of files.sort()) hash.update(`${file}\n`).update(readFileSync(file));
  return hash.digest('hex');
}

/** Bundles that no user gets. */
function isForMakers(outputs) {
  return Object.values(outputs).some(({ entryPoint }) => /^(bench|tools)\//.test(entryPoint ?? ''));
}

/** What draws, and what starts with the editor, takes from schemas their types alone: the library behind them is larger than a view. */
function checkLean(outputs) {
  for (const [file, { entryPoint, inputs }] of Object.entries(outputs)) {
    if (!LEAN.includes(entryPoint) || !Object.keys(inputs).some((input) => input.includes('node_modules/zod/')))
      continue;
    console.error(`${file} holds zod: something in it imports a schema as a value.`);
    process.exit(1);
  }
}

async function watchBundle(options) {
  const bundle = await context(options);
  await bundle.rebuild();
  await bundle.watch();
}

/** @returns {import('esbuild').BuildOptions} */
function processOptions(name, entry) {
  return {
    ...sharedOptions(entry),
    outfile: `dist/${name}.cjs`,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // What is loaded later is required: a script that V8 takes from its cache (files/runCompiled.ts) has lost how to import.
    supported: { 'dynamic-import': false },
    // Clients that the queues' library would take as well, and that are not asked for.
    external: ['vscode', 'onnxruntime-node', 'koffi', 'redis', '@valkey/valkey-glide', 'pg-native', 'bullmq-otel'],
    plugins: [LOADED_LATER, WITHOUT_UPLOADS],
    // Identifiers stay: a user's stack trace names our functions.
    keepNames: true,
    // A CommonJS bundle has no import.meta; modules that ask where they are get the bundle's own address.
    define: { 'import.meta.url': 'importMetaUrl', TOKENISING_SOURCES: JSON.stringify(TOKENISING_SOURCES) },
    banner: {
      js: [
        ...(name === 'cli' ? ['#!/usr/bin/env node'] : []),
        ...(GUESTS.includes(name) ? [] : [SMALL_YOUNG_GENERATION]),
        "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;",
      ].join('\n'),
    },
  };
}

/** @returns {import('esbuild').BuildOptions} */
function viewOptions(name, entry) {
  return {
    ...sharedOptions(entry),
    outfile: `dist/webview/${name}.js`,
    platform: 'browser',
    // What VS Code 1.100 draws its webviews with.
    target: 'chrome132',
    format: 'iife',
    minifyIdentifiers: !dev && !watch,
  };
}

/** @returns {import('esbuild').BuildOptions} */
function sharedOptions(entry) {
  return {
    entryPoints: [entry],
    bundle: true,
    sourcemap: dev || watch,
    minifySyntax: !dev && !watch,
    minifyWhitespace: !dev && !watch,
    // Licenses are told in a file of their own.
    legalComments: 'none',
    metafile: true,
    logLevel: watch ? 'info' : 'warning',
  };
}
