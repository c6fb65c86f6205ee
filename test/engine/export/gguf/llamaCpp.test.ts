import { describeLlamaCpp } from './llamaCppCases.ts';

// Each of llama.cpp's architectures, and each trap of them; all families in all shapes are in the slow tests.
describeLlamaCpp([
  ['llama-2 grouped queries', 'attentions dropped'],
  ['llama-2 grouped queries', 'MLPs dropped'],
  ['llama-3.1', 'uniform sizes'],
  ['mistral 0.3', 'FLAP, by block'],
  ['qwen2', 'uniform sizes'],
  ['qwen3', 'attentions dropped'],
]);
