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
  sample: ['base', 'files', 'metric', 'experiment', 'engine'],
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
    'sample',
  ],
  extension: ['base', 'files', 'metric', 'experiment', 'search', 'view', 'protocol', 'language', 'runs', 'llm'],
};

const layerRules = Object.entries(LAYERS).map(([layer, allowed]) => ({
  name: `layer-${layer}`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^src/', pathNot: `^src/(${[layer, ...allowed].join('|')})/` },
}));

// Inside the engine the same holds: numbers flow from the graph up to the evaluation.
const ENGINE = {
  graph: [],
  runtime: ['graph'],
  families: ['graph'],
  checkpoint: ['families'],
  tokenizer: ['checkpoint'],
  models: ['graph', 'families'],
  pruning: ['graph', 'runtime', 'families', 'models'],
  forward: ['graph', 'runtime', 'families', 'checkpoint', 'tokenizer', 'models'],
  gradient: ['graph', 'runtime', 'families', 'checkpoint', 'models', 'forward'],
  structure: ['graph', 'runtime', 'families', 'checkpoint', 'models', 'pruning', 'forward', 'gradient'],
  evaluation: [
    'graph',
    'runtime',
    'families',
    'checkpoint',
    'tokenizer',
    'models',
    'pruning',
    'forward',
    'gradient',
    'structure',
  ],
  training: ['graph', 'runtime', 'families', 'checkpoint', 'tokenizer', 'models', 'forward', 'gradient'],
  export: ['graph', 'runtime', 'families', 'checkpoint', 'tokenizer', 'models', 'forward', 'evaluation', 'structure'],
  speed: ['graph', 'runtime', 'families', 'checkpoint', 'models', 'forward'],
  search: [
    'graph',
    'runtime',
    'families',
    'checkpoint',
    'models',
    'pruning',
    'forward',
    'gradient',
    'structure',
    'evaluation',
  ],
};

const engineRules = Object.entries(ENGINE).map(([folder, allowed]) => ({
  name: `engine-${folder}`,
  severity: 'error',
  from: { path: `^src/engine/${folder}/` },
  to: { path: '^src/engine/[^/]+/', pathNot: `^src/engine/(${[folder, ...allowed].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    ...engineRules,
    {
      // Through `runs` either: the editor's process computes nothing.
      name: 'extension-never-reaches-engine',
      severity: 'error',
      from: { path: '^src/extension/' },
      to: { path: '^src/engine/', reachable: true },
    },
    {
      // A view computes nothing and reads nothing. The preview stands in for the extension.
      name: 'layer-webview',
      severity: 'error',
      from: { path: '^webview-ui/', pathNot: '^webview-ui/preview/' },
      to: { path: '^src/', pathNot: '^src/(base|metric|experiment|search|view)/' },
    },
    {
      name: 'nothing-imports-webview',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^webview-ui/' },
    },
    {
      name: 'vscode-only-in-extension',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/extension/' },
      to: { path: '^vscode$' },
    },
    {
      name: 'onnxruntime-only-in-runtime',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/engine/runtime/' },
      to: { path: 'onnxruntime' },
    },
    {
      name: 'no-io-in-pure-layers',
      severity: 'error',
      from: { path: '^src/(base|metric|experiment|search|view)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-value-cycles',
      severity: 'error',
      from: { path: '^src/', pathNot: '/generated/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js', '.json'] },
  },
};
