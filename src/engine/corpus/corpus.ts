import type { OpenHooks } from './dataFile.ts';
import { DataSet, DEFAULT_ROWS, type TextSource } from './dataSet.ts';
import type { RowsHooks } from './parquetRows.ts';

/** A text for calibration or evaluation. */
export interface Corpus {
  readonly text: string;
  /** {@link DataSet.identity} */
  readonly identity: string;
}

/**
 * The rows of a data set as one text; a plain text as it is: line ends and white space are kept.
 *
 * @param source a file alone is taken with the default settings
 * @throws EspalierError `corpus/…`, `evaluation/too-large`, `cancelled`
 */
export async function loadCorpus(source: string | TextSource, hooks: OpenHooks & RowsHooks = {}): Promise<Corpus> {
  const data = await DataSet.open(typeof source === 'string' ? { file: source, rows: DEFAULT_ROWS } : source, hooks);
  try {
    return { text: await data.text(hooks), identity: data.identity(true) };
  } finally {
    await data.close();
  }
}
