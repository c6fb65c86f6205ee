// Imports go one way (docs/architecture.md). Each layer names the layers of ours that it may import; everything else is refused.
const LAYERS = {
  base: [],
  files: ['base'],
  metric: ['base'],
  experiment: ['base', 'metric'],
  search: ['base', 'metric', 'experiment'],
  view: ['base', 'metric', 'experiment', 'search'],
  protocol: ['base', 'files', 'metric', 'experiment', 'search'],
  language: ['base', 'metric', 'experiment', 'search'],
  engine: ['base', 'files', 'metric', 'experiment', 'search'],
  runs: ['base', 'files', 'metric', 'experiment', 'search'],
  llm: ['base', 'files', 'metric', 'experiment', 'search', 'runs'],
  coordinator: ['base', 'files', 'metric', 'experiment', 'search', 'protocol', 'runs', 'llm'],
  worker: ['base', 'files', 'metric', 'experiment', 'search', 'protocol', 'engine', 'runs', 'llm', 'coordinator'],
  cli: [
    'base',
    'files',
    'metric',
    'experiment',
    'search',
    'protocol',
    'engine',
    'runs',
    'llm',
    'coordinator',
    'language',
  ],
  extension: ['base', 'files', 'metric', 'experiment', 'search', 'view', 'protocol', 'language', 'runs', 'llm'],
};

// What webviews and processes alike can use: it computes from what it is given, and asks nobody for more.
const PURE = ['base', 'metric', 'experiment', 'search', 'view'];

// Until they are mended: what broke a rule when it was made, and still does.
const KNOWN = {
  engine: '^src/engine/engine[.]ts$',
  cycles: '^src/engine/(models|evaluation|search|export|speed|engine[.]ts)',
};

const anyOf = (names) => `(${names.join('|')})`;

const layerRules = Object.entries(LAYERS).map(([layer, allowed]) => ({
  name: `layer-${layer}`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^(src|webview-ui|tools)/', pathNot: `^src/${anyOf([layer, ...allowed])}/` },
}));

// Inside the engine the same holds: numbers flow from the graph up to the evaluation.
const ENGINE = {
  graph: [],
  runtime: ['graph'],
  checkpoint: [],
  tokenizer: ['checkpoint'],
  models: ['graph', 'checkpoint'],
  pruning: ['graph', 'runtime', 'models'],
  forward: ['graph', 'runtime', 'checkpoint', 'tokenizer', 'models'],
  gradient: ['graph', 'runtime', 'checkpoint', 'models', 'forward'],
  structure: ['graph', 'runtime', 'checkpoint', 'models', 'pruning', 'forward', 'gradient'],
  evaluation: ['graph', 'runtime', 'checkpoint', 'tokenizer', 'models', 'pruning', 'forward', 'gradient', 'structure'],
  export: ['graph', 'runtime', 'checkpoint', 'tokenizer', 'models', 'forward', 'evaluation', 'structure'],
  speed: ['graph', 'runtime', 'checkpoint', 'models', 'forward'],
  search: ['graph', 'runtime', 'checkpoint', 'models', 'pruning', 'forward', 'gradient', 'structure', 'evaluation'],
};

const LAYERED = [
  `^src/${anyOf(Object.keys(LAYERS).filter((layer) => layer !== 'engine'))}/`,
  `^src/engine/${anyOf(Object.keys(ENGINE))}/`,
  '^src/engine/[^/]+$',
];

const engineRules = Object.entries(ENGINE).map(([folder, allowed]) => ({
  name: `engine-${folder}`,
  severity: 'error',
  from: { path: `^src/engine/${folder}/` },
  // engine.ts is the door: who is inside does not go through it.
  to: { path: '^src/engine/', pathNot: [`^src/engine/${anyOf([folder, ...allowed])}/`, KNOWN.engine] },
}));

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
      from: { pathNot: KNOWN.cycles },
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
