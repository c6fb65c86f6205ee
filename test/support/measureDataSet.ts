import { readFileSync } from 'node:fs';
import { DataSet } from '../../src/engine/corpus/dataSet.ts';
import { DEFAULT_ROWS } from '../../src/experiment/corpusRows.ts';
import { drawDocuments } from '../../src/engine/corpus/drawDocuments.ts';
import { RowSpool } from '../../src/engine/corpus/rowSpool.ts';

/** What a process of its own takes that reads a data set: `node FILE joined|documents`. Prints megabytes and seconds. */
async function measure(file: string, way: string, cacheFolder: string): Promise<void> {
  const base = process.memoryUsage.rss();
  const began = performance.now();
  const rows = way === 'joined' ? { ...DEFAULT_ROWS, join: 'space' as const, first: 1100 } : DEFAULT_ROWS;
  const data = await DataSet.open({ file, rows });
  const taken = way === 'joined' ? await data.text() : await drawn(data, file, cacheFolder);
  await data.close();
  const report = { base: base / 1e6, over: (peakMemory() - base) / 1e6, seconds: (performance.now() - began) / 1000 };
  console.log(JSON.stringify({ taken: taken.length, ...report }));
}

/** Bytes: what the kernel has seen of this process alone; `maxRSS` may be that of the one it was forked from. */
function peakMemory(): number {
  const found = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(found![1]) * 1024;
}

/** Words for tokens: what a tokenizer takes is not measured here. */
async function drawn(data: DataSet, file: string, cacheFolder: string): Promise<readonly Int32Array[]> {
  const spool = await RowSpool.write(data.rows(), cacheFolder);
  const encode = (text: string): Promise<Int32Array> => Promise.resolve(new Int32Array(text.split(' ').length));
  const settings = { samples: 128, length: 600, offsets: 'documents', seed: 0 } as const;
  const { tokens } = await drawDocuments(spool, settings, file, { encode });
  await spool.dispose();
  return tokens;
}

const [, , file, way, cacheFolder] = process.argv;
await measure(file!, way!, cacheFolder!);
