#!/usr/bin/env node
// counts.mjs REPORT STATUS: `passed failed skipped` of a vitest JSON report. A skipped test counts as failed too, and so does a
// run that ended badly without a failed test; then the exit code is 1 and standard error says why, in a line for each.
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** What is skipped for what this machine is, and not for something that is missing. */
const MAY_SKIP = [
  /a read-only folder$/, // root may write everywhere
  /one that may not be read is told of by name$/, // and read everything
  // What the hub's own library in Python makes of a cache: it is no Debian package.
  /^Python’s huggingface_hub \(not installed\)/,
  // These stand in, by name and with the reason, for the tests that are left out where WebGPU does not work:
  /^WebGPU gives what the CPU gives$/,
  /^nodes on WebGPU are what they are on the CPU$/,
  /^Adam WebGPU is left out:$/,
];

const [report, status] = process.argv.slice(2);
// Without a report the run has broken off.
const { testResults } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { testResults: [] };
const tests = testResults.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: file.name })));
const of = (...states) => tests.filter((test) => states.includes(test.status));
const firstLine = (text) => (text ?? '').trim().split('\n', 1)[0];
const named = ({ file, fullName }) => `${relative('.', file)} / ${fullName.trim()}`;

const passed = of('passed').length;
const skipped = of('skipped', 'pending', 'todo', 'disabled');
const missing = skipped.filter(({ fullName }) => !MAY_SKIP.some((pattern) => pattern.test(fullName.trim())));
const failures = [
  ...of('failed').map((test) => `${named(test)}: ${firstLine(test.failureMessages[0])}`),
  ...missing.map((test) => `${named(test)}: skipped, which counts as failed here`),
];
let failed = failures.length;
if (failed === 0 && (status !== '0' || tests.length === 0)) failed = 1;
// A file that could not be loaded has a message, but no test.
for (const { name, message, assertionResults, status: state } of testResults)
  if (state === 'failed' && assertionResults.length === 0)
    failures.push(`${relative('.', name)}: ${firstLine(message)}`);
for (const failure of failures) console.error(failure);
console.log(`${passed} ${failed} ${skipped.length - missing.length}`);
process.exitCode = failed > 0 ? 1 : 0;
