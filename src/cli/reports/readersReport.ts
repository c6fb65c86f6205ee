import type { ReadersReport } from '../../experiment/readersSchema.ts';
import { verdictText } from '../../experiment/readerWords.ts';

/** Who can read a pruned model, for a person: a line for each reader and format. */
export function readersLines({ verdicts, exact }: ReadersReport): string[] {
  const names = verdicts.map(({ reader, format }) => `${reader} (${format})`);
  const width = Math.max(...names.map((name) => name.length));
  return [
    ...verdicts.map((verdict, index) => `  ${names[index]!.padEnd(width)}  ${verdictText(verdict)}`),
    ...(exact ? [] : ['  Scores decide the sizes of the blocks: said of sizes that differ a little.']),
  ];
}
