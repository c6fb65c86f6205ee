#!/usr/bin/env node
// sample.mjs slow|stories SEED: the slow test files, or the end-to-end stories, that this run of CI tries, each on a line: another commit
// tries others, the same one the same.
import { chooseFiles } from './slowFiles.mjs';
import { chooseStories } from './stories.mjs';

const [what, seed = ''] = process.argv.slice(2);
console.log({ slow: chooseFiles, stories: chooseStories }[what](seed).join('\n'));
