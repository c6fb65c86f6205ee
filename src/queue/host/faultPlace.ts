import type { ErrorCode } from '../../base/errors.ts';

/**
 * Whether a failure may be this machine's own: a file that is not here or was copied in part, a device that is stuck, memory, a disk. Then others may
 * do better, and the question goes to them; every other failure is the question's answer.
 */
export function isOfThisMachine(code: ErrorCode): boolean {
  return OWN.has(code) || OWN_FOLDERS.some((folder) => code.startsWith(folder));
}

const OWN_FOLDERS = ['io/', 'device/', 'worker/', 'queue/', 'protocol/'];
const OWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'checkpoint/not-found',
  'checkpoint/safetensors',
  'checkpoint/shard-index',
  'checkpoint/tensor',
  'corpus/not-found',
  'corpus/damaged',
  'tasks/not-found',
  'evaluation/too-large',
  'cancelled',
]);
