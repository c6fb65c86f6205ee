#!/usr/bin/env node
// `npm run evaluate -- …` is `espalier evaluate …`. Without arguments it evaluates a few metrics on the checkpoint and texts of
// ../shared, where that folder stands beside the checkout, and prints the command that does the same by hand.
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const METRICS = ['W', 'W * sqrt(X)', 'W * X', 'sqr(W) * sqrt(X)', 'mms(W) + mms(sqrt(X))'];

const root = fileURLToPath(new URL('..', import.meta.url));
const given = process.argv.slice(2);
const parameters = given.length > 0 ? given : exampleParameters();
process.argv = [process.argv[0], join(root, 'dist/cli.cjs'), 'evaluate', ...parameters];
await import('../dist/cli.cjs');

function exampleParameters() {
  const shared = relative(process.cwd(), join(root, '../shared')) || '.';
  const model = join(shared, 'models/wikitext-llama-6m');
  const text = join(shared, 'data/wikitext-2/wiki.test.raw');
  const calibration = join(shared, 'data/wikitext-2/valid.txt');
  const missing = [model, text, calibration].find((path) => !existsSync(path));
  if (missing !== undefined) {
    console.error(
      `evaluate: there is no example checkpoint here (${missing} does not exist). Say what to evaluate:\n` +
        `  npm run evaluate -- --model CHECKPOINT_FOLDER --text TEXT_FILE --calibration TEXT_FILE --expression "W * sqrt(X)" --sparsity 50%\n` +
        `  npm run evaluate -- FILE.prune\n` +
        `  npm run evaluate -- --help`,
    );
    process.exit(2);
  }
  const example = [
    ...['--model', model, '--text', text, '--calibration', calibration],
    ...['--samples', '16', '--length', '256', '--blocks', '64', '--sparsity', '50%'],
    ...METRICS.flatMap((metric) => ['--expression', metric]),
  ];
  const quoted = example.map((word) => (/^[\w./:%-]+$/.test(word) ? word : `"${word}"`));
  console.error(`espalier evaluate ${quoted.join(' ')}\n`);
  return example;
}
