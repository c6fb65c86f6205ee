import { existsSync } from 'node:fs';
import { fastestBlas } from './blasKernel.ts';
import { runProcess } from './childProcess.ts';
import { SHARED_FILES } from './work.ts';
import type { Conditions, Measurement, Work } from './work.ts';

/** The peer as it can be run here, or why it cannot. */
export type Peer = { readonly python: string; readonly about: string } | { readonly missing: string };

/** Debian's own interpreter is the one that Debian's python3-torch is installed for. */
const PYTHON = process.env['ESPALIER_PYTHON'] ?? (process.platform === 'linux' ? '/usr/bin/python3' : 'python3');

/** Looks for the peer, and refuses one whose BLAS makes it slow: beating that would say nothing. Its kernel is the fastest that is right. */
export async function findPeer(): Promise<Peer> {
  if (!existsSync(SHARED_FILES.peer)) return { missing: `the peer, ${SHARED_FILES.peer}, is not there` };
  try {
    const { torch, libraries, kernel, rate } = await fastestBlas(PYTHON);
    const slow = libraries.find((path) => /openblas-pthread|[\\/](blas|atlas)[\\/]/.test(path));
    if (slow !== undefined) {
      return {
        missing:
          `PyTorch ${torch} here uses ${slow}, which makes it several times slower than it can be: no fair peer. ` +
          'Install libopenblas0-openmp and remove libopenblas0-pthread',
      };
    }
    const blas = [...libraries, ...(kernel ? [`kernel ${kernel}`] : []), `${rate.toFixed(0)} GFLOP/s a thread`];
    return { python: PYTHON, about: `PyTorch ${torch}, ${blas.join(', ')}` };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n').at(-1)! : String(error);
    return { missing: `PyTorch cannot be loaded by ${PYTHON} (${reason}); ESPALIER_PYTHON names another interpreter` };
  }
}

/** One job of the peer in a fresh process. */
export async function measurePeer(
  python: string,
  work: Work,
  { threads, processor }: Conditions,
): Promise<Measurement> {
  const clock = processor ? 'process_time' : 'time';
  const parameters = ['-B', '-c', PROGRAM, clock, SHARED_FILES.peer, ...peerParameters(work, threads)];
  const { answer, wallSeconds } = await runProcess(python, parameters);
  const { value, gradient, seconds, peak_rss_mb: peakMemory, processor: whole } = answer as unknown as PeerAnswer;
  const wholeSeconds = processor ? whole : wallSeconds;
  return { value, ...(gradient !== undefined && { gradient }), seconds, peakMemory, wholeSeconds };
}

interface PeerAnswer {
  readonly value: number;
  readonly gradient?: number;
  readonly seconds: number;
  readonly peak_rss_mb: number;
  readonly processor: number;
}

/** The peer's program with a clock of ours; what it prints, with the seconds of processor of the whole process. */
const PROGRAM = `
import contextlib, io, json, resource, runpy, sys, time
clock, sys.argv = sys.argv[1], sys.argv[2:]; time.time = getattr(time, clock)
with contextlib.redirect_stdout(io.StringIO()) as printed: runpy.run_path(sys.argv[0], run_name='__main__')
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({**json.loads(printed.getvalue().strip().split('\\n')[-1]), 'processor': usage.ru_utime + usage.ru_stime}))
`;

function peerParameters({ job, model, text, calibration, length, blocks, samples }: Work, threads: number): string[] {
  const common = [
    ...[model, '--text', text, '--calibration', calibration, '--seqlen', length, '--samples', samples],
    ...['--blocks', blocks, '--sparsity', '0.5', '--threads', threads],
  ].map(String);
  return [...common, PEER_JOBS[job]];
}

const PEER_JOBS: Readonly<Record<Work['job'], string>> = {
  dense: 'dense',
  wanda: 'wanda=mul(W,sqrt(X))',
  operands: 'operands',
};
