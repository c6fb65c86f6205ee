import type { ErrorCode, EspalierError } from '../../base/errors.ts';
import type { RunEntry, WorkerEntry } from '../wire.ts';

/** Milliseconds after which a worker tries again to open what it could not: files may have come, a device may be free. */
const AGAIN = 5 * 60_000;
/** What an entry holds at most. */
const MOST = 64;
/** What stays as it is for as long as the run does. */
const LASTING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['queue/class', 'queue/version', 'queue/refused']);

interface Refusal {
  readonly error: EspalierError;
  readonly until: number;
  /** Version and digits of the run: with others it is another matter. */
  readonly of: string;
}

/** Runs that a worker does not answer for, and why. */
export class Refusals {
  private readonly now: () => number;
  private readonly refused = new Map<string, Refusal>();

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  add(entry: RunEntry, error: EspalierError): void {
    this.refused.delete(entry.key);
    const until = LASTING.has(error.code) ? Infinity : this.now() + AGAIN;
    this.refused.set(entry.key, { error, until, of: signature(entry) });
  }

  has(entry: RunEntry): boolean {
    const refusal = this.refused.get(entry.key);
    return refusal?.of === signature(entry) && this.now() < refusal.until;
  }

  /** Forgets runs that are over. @returns whether there were any */
  keep(keys: ReadonlySet<string>): boolean {
    const gone = [...this.refused.keys()].filter((key) => !keys.has(key));
    for (const key of gone) this.refused.delete(key);
    return gone.length > 0;
  }

  /** The last ones, as a worker's entry has them. */
  get list(): WorkerEntry['refused'] {
    return [...this.refused].slice(-MOST).map(([run, { error }]) => ({ run, error: error.data }));
  }
}

function signature({ version, class: of, owner }: RunEntry): string {
  return `${version} ${of?.digits ?? ''} ${owner.id}`;
}
