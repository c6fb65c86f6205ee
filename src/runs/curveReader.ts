import path from 'node:path';
import { CurveFold } from '../search/comparison/curveFold.ts';
import { glanceLines } from './glanceLines.ts';
import type { JournalDamage } from './journalLines.ts';
import { JournalReader } from './journalReader.ts';
import { JOURNAL_FILE } from './runFolder.ts';
import type { RunFolder } from './runFolder.ts';

/** Bytes: of so many lines a few milliseconds' work, between which the event loop gets its turn. */
const PORTION = 256 << 10;

/**
 * Reads the best so far off a run's journal, at about a hundred megabytes a second, and goes on where it was when the journal has grown. A
 * journal that is as it was is not opened again. What it comes to is what reading every line comes to; but lines between which nothing got
 * better are not compared with their checksums.
 */
export class CurveReader {
  readonly fold: CurveFold;
  readonly id: string;
  readonly fingerprint: string;
  private readonly journal: JournalReader;

  constructor({ folder, record }: RunFolder) {
    this.id = record.id;
    this.fingerprint = record.fingerprint;
    const fold = new CurveFold(record.plan);
    this.fold = fold;
    this.journal = new JournalReader(path.join(folder, JOURNAL_FILE), record, {
      portion: PORTION,
      decode: (bytes, link) =>
        glanceLines(bytes, link, {
          passes: (line) => fold.passes(line),
          take: ({ event, at }) => {
            fold.fold(event, at);
          },
        }),
    });
  }

  /** Why not all of it was read. */
  get damage(): JournalDamage | undefined {
    return this.journal.damage;
  }

  /** Whether nothing is wrong but line ends, which hide nothing. */
  get hasChangedEnds(): boolean {
    return this.damage?.kind === 'line-ends';
  }

  get file(): string {
    return this.journal.file;
  }

  /** Reads what is new. @throws EspalierError `io/read` */
  async look(): Promise<void> {
    const portions = this.journal.more();
    while (!(await portions.next()).done);
  }
}
