import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAMILIES } from '../support/generate/families.ts';
import { generateCheckpoint } from '../support/generate/generateCheckpoint.ts';
import { generateText } from '../support/generate/text.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(ROOT, 'dist/cli.cjs');

let folder: string;
let inputs: string[];

beforeAll(async () => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/setup.mjs')], { stdio: 'ignore' });
  folder = await mkdtemp(join(tmpdir(), 'espalier-cli-'));
  await generateCheckpoint(join(folder, 'model'), FAMILIES['llama-1']);
  await writeFile(join(folder, 'text.txt'), generateText(1, 40_000));
  await writeFile(join(folder, 'metrics.prune'), 'metric magnitude = W\nmetric wanda = W * sqrt(X)\n');
  await writeFile(join(folder, 'wrong.prune'), 'metric fine = W\nmetric mine = tnah(W)\n');
  await writeFile(join(folder, 'latin1.prune'), Buffer.from([0x2f, 0x2f, 0xe9, 0x0a]));
  await writeFile(join(folder, 'huge.prune'), '//'.repeat(3 << 20));
  inputs = ['--model', 'model', '--text', 'text.txt', '--calibration', 'text.txt', '--device', 'cpu', '--threads', '1'];
  inputs.push('--length', '16', '--samples', '4', '--blocks', '8');
});

afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  readonly status: number | NodeJS.Signals;
  readonly out: string;
  readonly err: string;
  readonly seconds: number;
}

/** Runs the built command in the folder of the test's files. @param during what to do to it while it runs */
function espalier(
  words: readonly string[],
  during?: (child: ReturnType<typeof spawn>) => void,
  cwd: string = folder,
): Promise<Ended> {
  const began = performance.now();
  const child = spawn(CLI, words, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    // What is remembered between runs is no part of these tests, nor they of what is remembered.
    env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache'), TMPDIR: temporary() },
  });
  const text = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => (text.out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (text.err += data.toString()));
  during?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ status: code ?? signal!, ...text, seconds: (performance.now() - began) / 1000 });
    });
  });
}

/** Where these tests' processes have their temporary files. */
const temporary = (): string => join(folder, 'tmp');

/** What is half done there, and where these tests export to. */
const unfinished = (): string[] =>
  [temporary(), join(folder, 'exports')]
    .flatMap((place) => (existsSync(place) ? readdirSync(place) : []))
    .filter((name) => name.endsWith('.tmp'));

/** Runs the command, and does something to it once something is half done. */
async function whenItWrites(words: readonly string[], act: (child: ReturnType<typeof spawn>) => void): Promise<Ended> {
  await mkdir(temporary(), { recursive: true });
  const before = unfinished();
  return espalier(words, (child) => {
    const timer = setInterval(() => {
      if (child.exitCode === null && unfinished().every((name) => before.includes(name))) return;
      clearInterval(timer);
      act(child);
    }, 20);
  });
}

const objects = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it.each([
  ['an argument', ['evaluate', '\u001b]0;owned\u0007.prune']],
  ['a flag', ['evaluate', '--\u001b[2J']],
  ['a path', ['tokens', '--model', '\u001b[31mmodel', '--text', 'text.txt']],
  ['a name of a run', ['runs', 'show', '\u009b2J']],
  ['a file', ['evaluate', 'hostile.prune']],
])('no escape of a terminal comes through: %s', async (_, words) => {
  await writeFile(join(folder, 'hostile.prune'), 'metric mine = tnah(W) // \u001b]52;c;eA==\u0007\n');
  const { status, out, err } = await espalier(words);
  expect(status).toBe(2);
  expect(err).toMatch(/\\u00(1b|9b)/);
  for (const control of ['\u001b', '\u0007', '\u009b']) expect(out + err).not.toContain(control);
});

describe('evaluating a generated checkpoint', () => {
  it('the file and the flags give the same number, and the same fingerprint', async () => {
    const fromFile = await espalier(['evaluate', 'metrics.prune', '--metric', 'wanda', ...inputs, '--json']);
    expect(fromFile).toMatchObject({ status: 0, err: '' });
    const fromFlags = await espalier(['evaluate', '--expression', 'mul(W, sqrt(X))', ...inputs, '--json']);
    const [a, b] = [objects(fromFile.out)[0]!, objects(fromFlags.out)[0]!];
    expect(a).toMatchObject({ metric: 'wanda', expression: 'W * sqrt(X)', sparsity: '50%', calibrate: 'sequential' });
    expect(b).toMatchObject({ metric: 'mul(W, sqrt(X))', expression: 'W * sqrt(X)', perplexity: a['perplexity'] });
    expect(b['fingerprint']).toBe(a['fingerprint']);
    expect(a['actualSparsity']).toBeCloseTo(0.5, 2);
  });

  it('every metric of a file, in a table with its provenance', async () => {
    const { status, out, err } = await espalier(['evaluate', 'metrics.prune', ...inputs, '--sparsity', '50%,2:4']);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    const rows = out.split('\n').slice(1, 5);
    expect(rows.map((row) => row.split(/ {2,}/).slice(0, 2).join(' '))).toEqual([
      ...['magnitude 50%', 'magnitude 2:4', 'wanda 50%', 'wanda 2:4'],
    ]);
    expect(out).toContain('8 blocks of 16 tokens');
  });

  it('the dense perplexity', async () => {
    const { out } = await espalier(['evaluate', ...inputs, '--json']);
    const [dense] = objects(out);
    expect(dense).toMatchObject({ metric: 'dense', sparsity: null, actualSparsity: 0 });
    expect(dense!['perplexity']).toBe(dense!['densePerplexity']);
  });

  it('a metric that cannot rank fails alone', async () => {
    const words = ['evaluate', '--expression', '(-W) ^ 0.5', '--expression', 'W', ...inputs, '--json'];
    const { status, out } = await espalier(words);
    expect(status).toBe(1);
    expect(objects(out)).toMatchObject([
      { metric: '(-W) ^ 0.5', error: { code: 'metric/invalid-score' } },
      { metric: 'W' },
    ]);
  });
});

describe('what is wrong is said, with exit code 2 and nothing on standard output', () => {
  it.each<[string, string[], string]>([
    ['errors of a file', ['evaluate', 'wrong.prune'], 'wrong.prune:2:15: error: '],
    ['with their line', ['evaluate', 'wrong.prune'], '  metric mine = tnah(W)\n                ^^^^'],
    [
      'no such file',
      ['evaluate', 'nothing.prune'],
      'reading nothing.prune: expected a .prune file in UTF-8, got no such file',
    ],
    ['a folder', ['evaluate', 'model'], 'got a folder'],
    ['a device', ['evaluate', '/dev/null'], 'got a pipe or a device'],
    ['far too large', ['evaluate', 'huge.prune'], 'bytes [io/read]'],
    ['not UTF-8', ['evaluate', 'latin1.prune'], 'bytes that are not UTF-8'],
    ['a metric that is not there', ['evaluate', 'metrics.prune', '--metric', 'wnada', '--model', 'model'], 'wanda'],
    ['no checkpoint', ['evaluate', '--model', 'nothing', '--text', 'text.txt'], '[checkpoint/not-found]'],
    ['a file for a checkpoint', ['evaluate', '--model', 'text.txt', '--text', 'text.txt'], '[checkpoint/'],
    ['no text', ['evaluate', '--model', 'model', '--text', 'nothing'], '[corpus/not-found]'],
    ['a folder for a text', ['evaluate', '--model', 'model', '--text', 'model'], '[corpus/'],
    ['a text that is too short', ['evaluate', '--model', 'model', '--text', 'metrics.prune'], '[corpus/too-short]'],
    [
      'X without calibration',
      ['evaluate', '--expression', 'X * W', '--model', 'model', '--text', 'text.txt'],
      'calibration',
    ],
    [
      'G without calibration',
      ['evaluate', '--expression', 'G * W', '--model', 'model', '--text', 'text.txt'],
      'calibration',
    ],
    ['tokens of nothing', ['tokens', '--model', 'model', '--text', 'nothing'], '[corpus/not-found]'],
  ])('%s', async (_, words, message) => {
    const { status, out, err } = await espalier(words);
    expect(err).toContain(message);
    expect({ status, out }).toEqual({ status: 2, out: '' });
  });

  it('as JSON with places', async () => {
    const { status, out, err } = await espalier(['evaluate', 'wrong.prune', '--json']);
    expect({ status, err }).toEqual({ status: 2, err: '' });
    expect(objects(out)).toMatchObject([
      {
        error: {
          code: 'language/errors',
          diagnostics: [{ file: 'wrong.prune', line: 2, column: 15, severity: 'error' }],
        },
      },
    ]);
  });
});

describe('tokens', () => {
  it('counts, and lists, the same ids', async () => {
    const words = ['tokens', '--model', 'model', '--text', 'text.txt'];
    const [count, ids, json] = await Promise.all([
      espalier(words),
      espalier([...words, '--ids']),
      espalier([...words, '--ids', '--json']),
    ]);
    const listed = ids.out.trim().split('\n').map(Number);
    expect(count.out).toMatch(new RegExp(`^${listed.length} tokens: \\d+ blocks of \\d+ tokens, the model.s\n$`));
    expect(objects(json.out)).toMatchObject([{ tokens: listed.length, ids: listed }]);
  });
});

describe('devices', () => {
  it('tries every one, and the CPU works', async () => {
    const { status, out } = await espalier(['devices', '--json']);
    expect(status).toBe(0);
    const reports = objects(out);
    expect(reports.map(({ name }) => name)).toEqual(expect.arrayContaining(['cpu', 'webgpu', 'cuda', 'dml', 'coreml']));
    expect(reports.find(({ name }) => name === 'cpu')).toMatchObject({ works: true });
  });
});

describe('a search', () => {
  const SEARCH = `model tiny = "model"
    corpus text = "text.txt"
    corpus unseen = "unseen.txt"
    search small {
      model: tiny  evaluate: text  calibrate: text (samples: 4)  test: unseen  length: 16  blocks: 8
      population: 12  generations: 4  elites: 3  finalists: 2  workers: 2
    }`;
  // A folder of its own: runs lie in the current one.
  const inSearches = (words: readonly string[], during?: (child: ReturnType<typeof spawn>) => void) =>
    espalier(words, during, join(folder, 'searches'));

  beforeAll(async () => {
    await mkdir(join(folder, 'searches'));
    await writeFile(join(folder, 'unseen.txt'), generateText(2, 10_000));
    await writeFile(join(folder, 'search.prune'), SEARCH);
  });

  it('is paused by Ctrl-C, resumed, shown and deleted', async () => {
    let pids: number[] = [];
    const begun = await inSearches(['evolve', '../search.prune', '--device', 'cpu', '--json'], (child) => {
      let text = '';
      child.stdout!.on('data', (data: Buffer) => {
        text += data.toString();
        if (pids.length > 0 || !text.includes('"kind":"generation"')) return;
        pids = childrenOf(child.pid!);
        child.kill('SIGINT');
      });
    });
    expect(begun).toMatchObject({ status: 130, err: '' });
    const lines = objects(begun.out);
    const id = String(lines[0]!['run']);
    expect(lines[0]).toMatchObject({ kind: 'run', name: 'small' });
    expect(lines.slice(-2)).toMatchObject([{ kind: 'paused' }, { kind: 'result', run: id, state: 'paused' }]);
    if (process.platform === 'linux') expect(pids.length).toBeGreaterThan(0);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);

    const listed = await inSearches(['runs', '--json']);
    expect(objects(listed.out)).toMatchObject([{ id, state: 'paused', name: 'small', document: '../search.prune' }]);
    // A run goes on as it was asked.
    const other = await inSearches(['evolve', '--resume', id, '--population', '5']);
    expect(other).toMatchObject({ status: 2, out: '', err: expect.stringContaining('--population') as string });

    const resumed = await inSearches(['evolve', '--resume', id.slice(0, 15), '--workers', '1', '--json']);
    expect(resumed).toMatchObject({ status: 0, err: '' });
    const result = objects(resumed.out).at(-1)!;
    expect(result).toMatchObject({ kind: 'result', state: 'finished', counts: { candidates: 12 + 3 * 9 } });
    const best = result['best'] as { perplexity: number; testPerplexity: number }[];
    expect(best).toHaveLength(2);
    expect(best[0]!.perplexity).toBeLessThanOrEqual(best[1]!.perplexity);
    expect(best[0]!.testPerplexity).toBeGreaterThan(1);

    const shown = await inSearches(['runs', 'show', id]);
    expect(shown.out).toMatch(/candidate \d+ +[\d.]+ .*\n/);
    expect(shown.out).toMatch(/wanda +[\d.]+ .* W \* sqrt\(X\)\n/);
    // A person gives it a name and a note, which the list shows, and takes the name away again.
    expect((await inSearches(['runs', 'name', id, 'no gradients'])).out).toBe(`${id}: no gradients\n`);
    expect((await inSearches(['runs', 'note', id, 'G is\nleft out'])).status).toBe(0);
    expect((await inSearches(['runs'])).out).toMatch(/^run +name +state .*\n\S+ +no gradients +finished /);
    expect((await inSearches(['runs', 'show', id])).out).toContain('note: G is left out\n');
    expect(objects((await inSearches(['runs', '--json'])).out)).toMatchObject([
      { name: 'small', notes: { name: 'no gradients', note: 'G is left out' } },
    ]);
    expect((await inSearches(['runs', 'name', id, 'x'.repeat(100)])).status).toBe(2);
    expect((await inSearches(['runs', 'name', id])).out).toBe(`${id} has no name any more\n`);
    expect((await inSearches(['runs'])).out).toMatch(/^run +state /);

    // A copy of a run is called by its own folder, in every answer.
    cpSync(join(folder, 'searches/.espalier/runs', id), join(folder, 'searches/.espalier/runs/copy'), {
      recursive: true,
    });
    expect((await inSearches(['runs', 'name', 'copy', 'mine'])).out).toBe('copy: mine\n');
    expect((await inSearches(['runs', 'delete', 'copy'])).status).toBe(0);

    expect((await inSearches(['runs', 'delete', id])).status).toBe(0);
    expect((await inSearches(['runs'])).out).toBe('no runs here; `espalier evolve` begins one\n');
  });

  it('is paused when the terminal is closed, which is told twice', async () => {
    const { status, out } = await inSearches(['evolve', '../search.prune', '--device', 'cpu', '--json'], (child) => {
      let text = '';
      child.stdout!.on('data', (data: Buffer) => {
        text += data.toString();
        if (child.killed || !text.includes('"kind":"generation"')) return;
        child.kill('SIGHUP');
        setTimeout(() => child.kill('SIGHUP'), 5);
      });
    });
    expect(status).toBe(129);
    const [{ run: id }, ...lines] = objects(out) as [{ run: string }, ...object[]];
    expect(lines.slice(-2)).toMatchObject([{ kind: 'paused' }, { kind: 'result', state: 'paused' }]);
    expect(await readdir(join(folder, 'searches/.espalier/runs', id))).toEqual([
      'journal.jsonl',
      'log.txt',
      'run.json',
    ]);
    expect((await inSearches(['runs', 'delete', id])).status).toBe(0);
  });

  it('that cannot begin leaves nothing behind', async () => {
    const words = ['evolve', '--model', '../nothing', '--text', '../text.txt', '--operands', 'W'];
    const { status, err } = await inSearches(words);
    expect({ status, err }).toEqual({ status: 2, err: expect.stringContaining('[checkpoint/not-found]') as string });
    expect((await inSearches(['runs', '--json'])).out).toBe('');
  });
});

/** On Linux; elsewhere none are found. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('the shell', () => {
  // Forty models over the whole text: far more work than the test waits for.
  const sparsities = Array.from({ length: 40 }, (_, i) => `${i + 1}%`).join(',');
  const long = () => ['evaluate', '--expression', 'W', ...inputs, '--blocks', '0', '--sparsity', sparsities];

  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
    ['SIGTERM', 143],
  ] as const)('%s in the middle: exit code %d, soon, and nothing is left behind', async (signal, code) => {
    const before = await readdir(folder);
    let sent = 0;
    const { status, out, err } = await espalier(long(), (child) => {
      setTimeout(() => {
        sent = performance.now();
        child.kill(signal);
      }, 2000);
    });
    expect({ status, out }).toEqual({ status: code, out: '' });
    expect(err).toMatch(/(^|\n)interrupted\n$/);
    expect(performance.now() - sent).toBeLessThan(5000);
    expect(await readdir(folder)).toEqual(before);
  });

  const endless: Readonly<Record<string, () => string[]>> = {
    speed: () => ['speed', '--expression', 'W', '--sparsity', '50%', ...inputs, '--rounds', '99999'],
    export: () => ['export', '--expression', 'W * X', '--to', 'exports/model', ...inputs, '--samples', '60000'],
  };

  it.each([
    ['speed', 'SIGHUP', 129],
    ['speed', 'SIGQUIT', 131],
    ['speed', 'SIGTERM', 143],
    ['export', 'SIGHUP', 129],
    ['export', 'SIGQUIT', 131],
  ] as const)('%s in the middle of %s: no temporary folder is left', async (command, signal, code) => {
    const { status } = await whenItWrites(endless[command]!(), (child) => child.kill(signal));
    expect(status).toBe(code);
    expect(unfinished()).toEqual([]);
  });

  it('what a killed export and a killed measurement leave is removed by the next', async () => {
    for (const command of ['export', 'speed']) {
      const { status } = await whenItWrites(endless[command]!(), (child) => child.kill('SIGKILL'));
      expect(status).toBe('SIGKILL');
    }
    const [measured, exported] = [/^espalier-speed\..*\.tmp$/, /^model\..*\.tmp$/].map(
      (name) => expect.stringMatching(name) as string,
    );
    expect(unfinished()).toEqual([measured, exported]);
    await writeFile(join(folder, 'exports/model.mine.tmp'), 'of a person');
    const again = ['export', '--expression', 'W', '--to', 'exports/model', ...inputs];
    expect((await espalier(again)).status).toBe(0);
    expect((await readdir(join(folder, 'exports'))).sort()).toEqual(['model', 'model.mine.tmp']);
    await whenItWrites(endless['speed']!(), (child) => child.kill('SIGTERM'));
    expect(unfinished()).toEqual(['model.mine.tmp']);
  });

  it('a reader that goes away ends it quietly', async () => {
    const words = ['tokens', '--model', 'model', '--text', 'text.txt', '--ids'];
    const { status, err } = await espalier(words, (child) => child.stdout!.destroy());
    expect({ status, err }).toEqual({ status: 141, err: '' });
  });

  it('standard error that is closed does not stop it', async () => {
    const { status, out } = await espalier(['evaluate', ...inputs, '--json'], (child) => child.stderr!.destroy());
    expect(status).toBe(0);
    expect(objects(out)).toMatchObject([{ metric: 'dense' }]);
  });
});

describe('a text cut into blocks that are longer than the model was made for', () => {
  const beyond = (json: readonly string[]) =>
    espalier(['evaluate', '--model', 'short', '--text', 'text.txt', '--blocks', '2', '--device', 'cpu', ...json]);

  it('is warned of on standard error, and in JSON as a field; without --length the model’s is taken', async () => {
    const family = FAMILIES['llama-1'];
    const config = { ...family.config, max_position_embeddings: 20 };
    await generateCheckpoint(join(folder, 'short'), { ...family, config });
    const open = await beyond([]);
    expect(open).toMatchObject({ status: 0, err: '' });
    expect(open.out).toContain("2 blocks of 20 tokens, the model's");
    const long = await beyond(['--length', '40']);
    expect(long.err).toMatch(/^warning: blocks of 40 tokens are longer than the model was made for.* says 20/);
    expect(long.out).toContain("2 blocks of 40 tokens, longer than the model's 20");
    const json = await beyond(['--length', '40', '--json']);
    expect(json.err).toBe('');
    expect(objects(json.out)[0]).toMatchObject({
      provenance: { length: 40, modelLength: 20 },
      warnings: [expect.stringContaining('longer than the model')],
    });
    expect(objects((await beyond(['--json'])).out)[0]).not.toHaveProperty('warnings');
  });

  it('a run records the length that it was begun with', async () => {
    const words = ['evolve', '--model', 'short', '--text', 'text.txt', '--operands', 'W', '--device', 'cpu'];
    words.push('--blocks', '2', '--population', '4', '--elites', '1', '--generations', '1', '--finalists', '1');
    const { status, out } = await espalier([...words, '--json']);
    expect(status).toBe(0);
    const { run } = objects(out)[0] as { run: string };
    const record = JSON.parse(readFileSync(join(folder, '.espalier/runs', run, 'run.json'), 'utf8')) as {
      plan: { settings: { length: number } };
    };
    expect(record.plan.settings.length).toBe(20);
    const long = await espalier([...words, '--length', '40']);
    expect(long.err).toMatch(/^warning: blocks of 40 tokens are longer/m);
  });
});
