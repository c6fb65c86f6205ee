/** README.md of the sample. */
export const README = `# A language model that ships with Espalier

A checkpoint in the layout of Hugging Face that is small enough to prune in a second: a LLaMA-architecture model of 0.9 million
parameters (4 blocks, grouped-query attention, tied embeddings, bfloat16), which has learned to write short English-like stories.

| file | |
|---|---|
| \`config.json\`, \`model.safetensors\` | the model |
| \`tokenizer.json\` | byte-level BPE, learned from the stories |
| \`calibration.txt\` | stories to calibrate metrics on, and to search on |
| \`test.txt\` | other stories, to evaluate on |
| \`metrics.prune\` | metrics, experiments and searches to begin with |

Everything here is made by \`npm run sample\` in Espalier's sources: a grammar writes the stories from a seed, and Espalier's own engine
trains the model. No text and no weight comes from anywhere else. It writes about the few things that it knows and is of no use for anything
but trying out pruning.

Licence: MIT, as Espalier itself.
`;
