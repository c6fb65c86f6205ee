import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';

/** Other forms that a tokenizer is kept in, what each is called, and whether transformers makes a tokenizer.json of it. */
const OTHER_FORMS: readonly { readonly files: readonly RegExp[]; readonly what: string; readonly convert: boolean }[] =
  [
    { files: [/^tokenizer\.model(\.v\d+)?$/], what: 'the SentencePiece model', convert: true },
    { files: [/^(spiece|sentencepiece(\.bpe)?)\.model$/], what: 'the SentencePiece model', convert: true },
    { files: [/^vocab\.json$/, /^merges\.txt$/], what: 'the byte pairs', convert: true },
    { files: [/\.tiktoken$/], what: 'the byte pairs', convert: true },
    { files: [/^tekken\.json$/], what: 'Mistral’s own form', convert: false },
    { files: [/^vocab\.txt$/], what: 'a WordPiece vocabulary', convert: true },
  ];

/**
 * Path of the tokenizer.json of a checkpoint folder.
 *
 * @throws EspalierError `checkpoint/tokenizer` where there is none, naming what there is instead
 */
export async function requireTokenizer(folder: string): Promise<string> {
  const file = path.join(folder, 'tokenizer.json');
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere) return file;
  const names = await readdir(folder).catch((): string[] => []);
  for (const { files, what, convert } of OTHER_FORMS) {
    const found = files.map((pattern) => names.find((name) => pattern.test(name)));
    if (found.includes(undefined)) continue;
    throw missing(file, `only ${what} ${found.join(' and ')}`, convert ? convertRemedy(folder) : DOWNLOAD);
  }
  const dangling = names.includes('tokenizer.json');
  throw missing(file, dangling ? 'a link to a file that is not there' : 'no such file', DOWNLOAD);
}

const DOWNLOAD = 'Download tokenizer.json of the checkpoint, or of the model that it was made from, into this folder.';

function convertRemedy(folder: string): string {
  return `Make one in Python: transformers.AutoTokenizer.from_pretrained("${folder}", use_fast=True).save_pretrained("${folder}").`;
}

function missing(file: string, actual: string, remedy: string): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tokenizer',
    operation: `reading ${file}`,
    expected: 'a tokenizer.json',
    actual,
    remedy,
    file,
  });
}
