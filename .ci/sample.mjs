#!/usr/bin/env node
// sample.mjs SEED: the slow test files that this run of CI tries, each on a line: another commit tries others, the same one the same.
import { chooseFiles } from './slowFiles.mjs';

const [seed = ''] = process.argv.slice(2);
console.log(chooseFiles(seed).join('\n'));
