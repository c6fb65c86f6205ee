import { join } from 'node:path';
import { runProcess } from './childProcess.ts';
import type { BackwardTimes } from './backwardPass.ts';
import { BACKWARD_SHAPES, type BackwardShape, peerProgram } from './backwardShapes.ts';
import { findPeer } from './peer.ts';
import { median, type Row } from './report.ts';
import { ROOT, SHARED_FILES } from './work.ts';

const GOAL = { of: 'ours', bar: 3.5, stretch: 3 } as const;

/** Each shape in a process of its own, in turn with the peer's. */
export async function backwardRows(rounds: number, threads: number, note: (line: string) => void): Promise<Row[]> {
  const peer = await findPeer();
  if ('missing' in peer) note(`no comparison: ${peer.missing}`);
  const rows: Row[] = [];
  for (const shape of BACKWARD_SHAPES) {
    const [ours, theirs]: [BackwardTimes[], BackwardTimes[]] = [[], []];
    for (let round = 1; round <= rounds; round++) {
      ours.push(await inChild({ kind: 'pass', shape, threads }));
      if (!('missing' in peer)) theirs.push(await peerTimes(peer.python, shape, threads));
      const [a, b] = [ours.at(-1)!, theirs.at(-1)];
      note(`${shape.title}, round ${round} of ${rounds}: ${timesText(a)}${b ? `; peer ${timesText(b)}` : ''}`);
    }
    const row = (what: string, unit: string, of: (times: BackwardTimes) => number, goal?: Row['goal']): Row => {
      const [own, other] = [ours.map(of), theirs.map(of)];
      const [a, b] = [median(own), other.length > 0 ? median(other) : null];
      return {
        ...{ work: `${shape.title}: ${what}`, ours: a, peer: b, ratio: b === null ? null : b / a, unit },
        ...{ range: [Math.min(...own), Math.max(...own)], ...(goal && { goal }) },
      };
    };
    rows.push(
      row('backward', 'forwards', ({ forward, backward }) => backward / forward, GOAL),
      row('there and back', 'forwards', ({ forward, whole }) => whole / forward),
      row('backward', 's', ({ backward }) => backward),
      row('peak memory', 'MiB', ({ peak }) => peak),
    );
  }
  for (const of of ['samples', 'layers'] as const) {
    const exponents: number[] = [];
    for (let round = 0; round < rounds; round++) exponents.push(await inChild({ kind: 'growth', of, threads }));
    const range = [Math.min(...exponents), Math.max(...exponents)] as const;
    const goal = { of: 'ours', bar: 1.05, stretch: 1.02 } as const;
    rows.push({
      ...{ work: `G's time in ${of}: exponent`, ours: median(exponents), peer: null, ratio: null, unit: '' },
      ...{ range, goal },
    });
  }
  return rows;
}

export type BackwardJob =
  | { readonly kind: 'pass'; readonly shape: BackwardShape; readonly threads: number }
  | { readonly kind: 'growth'; readonly of: 'samples' | 'layers'; readonly threads: number };

async function inChild(job: Extract<BackwardJob, { kind: 'pass' }>): Promise<BackwardTimes>;
async function inChild(job: Extract<BackwardJob, { kind: 'growth' }>): Promise<number>;
async function inChild(job: BackwardJob): Promise<BackwardTimes | number> {
  const bundle = join(ROOT, 'dist/benchBackward.cjs');
  const { answer } = await runProcess(process.execPath, [bundle, '--child', JSON.stringify(job)]);
  return job.kind === 'growth' ? Number(answer['exponent']) : timesOf(answer);
}

async function peerTimes(python: string, shape: BackwardShape, threads: number): Promise<BackwardTimes> {
  const parameters = ['-B', '-c', peerProgram(), SHARED_FILES.peer, JSON.stringify(shape), String(threads)];
  return timesOf((await runProcess(python, parameters)).answer);
}

function timesOf(answer: Readonly<Record<string, unknown>>): BackwardTimes {
  const [forward, backward, whole, peak] = ['forward', 'backward', 'whole', 'peak'].map((name) => Number(answer[name]));
  return { forward: forward!, backward: backward!, whole: whole!, peak: peak! };
}

function timesText({ forward, backward, peak }: BackwardTimes): string {
  return `${backward.toFixed(2)} s back, ${(backward / forward).toFixed(2)} × ${forward.toFixed(2)} s, ${peak.toFixed(0)} MiB`;
}
