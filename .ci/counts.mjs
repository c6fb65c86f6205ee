#!/usr/bin/env node
// counts.mjs REPORT STATUS: `passed failed skipped` of a vitest JSON report. A skipped test counts as failed too, and so does a
// run that ended badly without a failed test; then the exit code is 1 and standard error says why.
import { readFileSync } from 'node:fs';

/** What is skipped for what this machine is, and not for something that is missing. */
const MAY_SKIP = [
  /a read-only folder$/, // root may write everywhere
  // These stand in, by name and with the reason, for the tests that are left out where WebGPU does not work:
  /^WebGPU gives what the CPU gives$/,
  /^nodes on WebGPU are what they are on the CPU$/,
  /^Adam WebGPU is left out:$/,
];

const [report, status] = process.argv.slice(2);
const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
const tests = testResults.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: file.name })));
const of = (...states) => tests.filter((test) => states.includes(test.status));

const passed = of('passed').length;
const skipped = of('skipped', 'pending', 'todo', 'disabled');
const missing = skipped.filter(({ fullName }) => !MAY_SKIP.some((pattern) => pattern.test(fullName.trim())));
let failed = of('failed').length + missing.length;
for (const { fullName } of missing) console.error(`      skipped, which counts as failed here: ${fullName}`);
if (failed === 0 && (status !== '0' || tests.length === 0)) failed = 1;
console.log(`${passed} ${failed} ${skipped.length - missing.length}`);
process.exitCode = failed > 0 ? 1 : 0;
