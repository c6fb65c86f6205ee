#!/usr/bin/env node
// sample.mjs SEED: half of the files of the slow suite, each on a line, chosen by a seed: another commit tries others, the same one the same.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';

const [seed = ''] = process.argv.slice(2);
const tracked = execFileSync('git', ['ls-files', 'test'], { encoding: 'utf8' }).split('\n');
// What vitest.slow.config.ts includes.
const ALSO = ['test/runs/hostileRuns.test.ts', 'test/engine/corpus/hostileData.test.ts'];
const files = tracked.filter((file) => file.endsWith('.slow.ts') || ALSO.includes(file));
const rank = (file) => createHash('sha256').update(`${seed} ${file}`).digest('hex');
const chosen = files.sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, Math.ceil(files.length / 2));
console.log(chosen.sort().join('\n'));
