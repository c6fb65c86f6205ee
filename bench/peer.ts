import { existsSync } from 'node:fs';
import { runProcess } from './childProcess.ts';
import { BLOCKS, LENGTH, SAMPLES, SHARED_FILES } from './work.ts';
import type { JobName, Measurement } from './work.ts';

/** The peer as it can be run here, or why it cannot. */
export type Peer = { readonly python: string; readonly about: string } | { readonly missing: string };

/** Debian's own interpreter is the one that Debian's python3-torch is installed for. */
const PYTHON = process.env['ESPALIER_PYTHON'] ?? (process.platform === 'linux' ? '/usr/bin/python3' : 'python3');

/** Looks for the peer, and refuses one whose BLAS makes it slow: beating that would say nothing. */
export async function findPeer(): Promise<Peer> {
  if (!existsSync(SHARED_FILES.peer)) return { missing: `the peer, ${SHARED_FILES.peer}, is not there` };
  try {
    const { answer } = await runProcess(PYTHON, ['-B', '-c', INSPECTION]);
    const { torch, blas } = answer as { torch: string; blas: readonly string[] };
    const slow = blas.find((path) => /openblas-pthread|[\\/](blas|atlas)[\\/]/.test(path));
    if (slow !== undefined) {
      return {
        missing:
          `PyTorch ${torch} here uses ${slow}, which makes it several times slower than it can be: no fair peer. ` +
          'Install libopenblas0-openmp and remove libopenblas0-pthread',
      };
    }
    return { python: PYTHON, about: `PyTorch ${torch}${blas.length > 0 ? `, ${blas.join(', ')}` : ''}` };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n').at(-1)! : String(error);
    return { missing: `PyTorch cannot be loaded by ${PYTHON} (${reason}); ESPALIER_PYTHON names another interpreter` };
  }
}

/** One job of the peer in a fresh process. */
export async function measurePeer(python: string, job: JobName, threads: number): Promise<Measurement> {
  const { answer, wallSeconds } = await runProcess(python, ['-B', ...peerParameters(job, threads)]);
  const { value, gradient, seconds, peak_rss_mb: peakMemory } = answer as unknown as PeerAnswer;
  return { value, ...(gradient !== undefined && { gradient }), seconds, peakMemory, wallSeconds };
}

interface PeerAnswer {
  readonly value: number;
  readonly gradient?: number;
  readonly seconds: number;
  readonly peak_rss_mb: number;
}

function peerParameters(job: JobName, threads: number): string[] {
  const { model, text, calibration, peer } = SHARED_FILES;
  const common = [
    ...[model, '--text', text, '--calibration', calibration, '--seqlen', LENGTH, '--samples', SAMPLES],
    ...['--blocks', BLOCKS, '--sparsity', '0.5', '--threads', threads],
  ].map(String);
  switch (job) {
    case 'dense':
      return [peer, ...common, 'dense'];
    case 'wanda':
      return [peer, ...common, 'wanda=mul(W,sqrt(X))'];
    case 'operands':
      return [peer, ...common, 'operands'];
  }
}

/** Versions and the BLAS libraries that PyTorch has really loaded. */
const INSPECTION = `
import json, torch
try: paths = {line.split()[-1] for line in open('/proc/self/maps') if 'blas' in line.lower()}
except OSError: paths = set()
torch.ones(8, 8) @ torch.ones(8, 8)
print(json.dumps({'torch': torch.__version__, 'blas': sorted(p for p in paths if 'blas.so' in p or 'openblas' in p.rsplit('/', 1)[-1])}))
`;
