// Imports go one way (docs/architecture.md). Each layer names those right below it; it may import them, and what is below them.
const LAYERS = {
  base: [],
  figures: ['base'],
  files: ['base'],
  hub: ['files', 'experiment'],
  metric: ['base'],
  experiment: ['metric'],
  tasks: ['experiment'],
  search: ['tasks'],
  view: ['search', 'figures'],
  protocol: ['files', 'search'],
  language: ['search'],
  engine: ['files', 'search'],
  runs: ['files', 'search'],
  agents: ['language', 'runs'],
  report: ['runs', 'language', 'figures'],
  llm: ['runs'],
  queue: ['protocol', 'runs'],
  coordinator: ['queue', 'llm', 'language'],
  worker: ['coordinator', 'engine'],
  server: ['engine'],
  cli: ['coordinator', 'server', 'hub', 'language', 'agents', 'report'],
  extension: ['view', 'queue', 'hub', 'language', 'llm', 'agents', 'report'],
};

// Inside the engine the same holds: numbers flow from the graph up to the evaluation.
const ENGINE = {
  graph: [],
  runtime: ['graph'],
  families: ['graph'],
  checkpoint: ['families'],
  tokenizer: ['checkpoint'],
  corpus: ['checkpoint'],
  models: ['families'],
  algebra: ['runtime'],
  pruning: ['runtime', 'models'],
  update: ['algebra', 'pruning'],
  forward: ['runtime', 'tokenizer', 'corpus', 'models'],
  gradient: ['forward'],
  structure: ['update', 'gradient'],
  scoring: ['forward'],
  evaluation: ['structure', 'scoring'],
  export: ['evaluation'],
  generation: ['recovery'],
  speed: ['generation'],
  search: ['evaluation'],
  recovery: ['export', 'gradient'],
};

// What webviews and processes alike can use: it computes from what it is given, and asks nobody for more.
const PURE = ['base', 'figures', 'metric', 'experiment', 'tasks', 'search', 'view'];

const anyOf = (names) => `(${[...new Set(names)].join('|')})`;

/** The folder itself, and all that is below it. */
const downFrom = (table, folder) => [folder, ...table[folder].flatMap((below) => downFrom(table, below))];

const layerRules = Object.keys(LAYERS).map((layer) => ({
  name: `layer-${layer}`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^(src|webview-ui|tools)/', pathNot: `^src/${anyOf(downFrom(LAYERS, layer))}/` },
}));

const engineRules = Object.keys(ENGINE).map((folder) => ({
  name: `engine-${folder}`,
  severity: 'error',
  from: { path: `^src/engine/${folder}/` },
  // engine.ts is the door: who is inside does not go through it.
  to: { path: '^src/engine/', pathNot: `^src/engine/${anyOf(downFrom(ENGINE, folder))}/` },
}));

const LAYERED = [
  `^src/${anyOf(Object.keys(LAYERS).filter((layer) => layer !== 'engine'))}/`,
  `^src/engine/${anyOf(Object.keys(ENGINE))}/`,
  '^src/engine/[^/]+$',
];

module.exports = {
  forbidden: [
    ...layerRules,
    ...engineRules,
    {
      // A folder without a row above could import anything.
      name: 'every-folder-is-a-layer',
      severity: 'error',
      from: { path: '^src/', pathNot: LAYERED },
      to: {},
    },
    {
      // Through `runs` either: the editor's process computes nothing.
      name: 'extension-never-reaches-engine',
      severity: 'error',
      from: { path: '^src/extension/' },
      to: { path: '^src/engine/', reachable: true },
    },
    {
      // A view computes nothing and reads nothing, and knows nothing of who shows it, not even types. So do those who stand in for that.
      name: 'layer-webview',
      severity: 'error',
      from: { path: '^webview-ui/' },
      to: { path: '^(src|tools)/', pathNot: `^src/${anyOf(PURE)}/` },
    },
    {
      // What makers of Espalier run stands above everything that users run.
      name: 'layer-tools',
      severity: 'error',
      from: { path: '^tools/' },
      to: { path: '^(src|webview-ui)/', pathNot: '^src/(base|files|metric|experiment|engine|cli)/' },
    },
    {
      name: 'vscode-only-in-extension',
      severity: 'error',
      from: { pathNot: '^src/extension/' },
      to: { path: '^vscode$' },
    },
    {
      name: 'onnxruntime-only-in-runtime',
      severity: 'error',
      from: { pathNot: '^src/engine/runtime/' },
      to: { path: 'onnxruntime' },
    },
    {
      name: 'no-io-in-pure-layers',
      severity: 'error',
      from: { path: [`^src/${anyOf(PURE)}/`, '^webview-ui/'] },
      to: { dependencyTypes: ['core'] },
    },
    {
      // Of types alone either: who needs a type of a file that needs them has it in the wrong place.
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js', '.json'] },
  },
};
