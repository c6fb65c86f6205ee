import { execFileSync } from 'node:child_process';

/** Whether there is a Python 3 to ask; nothing of it but its standard library is used. */
export const hasPython = ((): boolean => {
  try {
    execFileSync('python3', ['-c', ''], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** What a Python script prints as JSON, given its input as JSON. */
export function python(script: string, input: unknown): unknown {
  const printed = execFileSync('python3', ['-c', `import json, sys\ninput = json.load(sys.stdin)\n${script}`], {
    input: JSON.stringify(input),
    maxBuffer: 2 ** 28,
    encoding: 'utf8',
  });
  return JSON.parse(printed) as unknown;
}
