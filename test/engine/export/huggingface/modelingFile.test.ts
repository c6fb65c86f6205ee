import { describeModelingFile } from './modelingCases.ts';

// Each family, what is left of blocks, and both layouts; all families and shapes are in the slow tests.
describeModelingFile([
  ['llama-3.1', 'sizes by block', 'plain'],
  ['mistral', 'FLAP, by block', 'plain'],
  ['qwen2', 'MLPs dropped', 'plain'],
  ['qwen3', 'attentions dropped', 'plain'],
  ['llama-2 grouped queries', 'uniform sizes', 'deci'],
  ['qwen2', 'FLAP, uniform', 'deci'],
]);
