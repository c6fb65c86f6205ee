import { DataSet } from '../../src/engine/corpus/dataSet.ts';
import { DEFAULT_ROWS } from '../../src/experiment/corpusRows.ts';
import type { RowsSettings } from '../../src/experiment/corpusRows.ts';

/** The rows of a file as one text, its identity, and the settings that count in it where they are not the default. */
export async function loadCorpus(
  file: string,
  settings: Partial<RowsSettings> = {},
): Promise<{ readonly text: string; readonly identity: string; readonly counting: RowsSettings | undefined }> {
  const data = await DataSet.open({ file, rows: { ...DEFAULT_ROWS, ...settings } });
  try {
    return { text: await data.text(), identity: data.hash, counting: data.countingRows(true) };
  } finally {
    await data.close();
  }
}

/** The rows of a file. */
export async function loadRows(file: string, settings: Partial<RowsSettings> = {}): Promise<readonly string[]> {
  const data = await DataSet.open({ file, rows: { ...DEFAULT_ROWS, ...settings } });
  try {
    const rows: string[] = [];
    for await (const batch of data.rows()) rows.push(...batch);
    return rows;
  } finally {
    await data.close();
  }
}
