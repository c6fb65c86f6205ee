import path from 'node:path';
import { EspalierError } from '../base/errors.ts';
import { fileProblem } from '../files/fileProblem.ts';
import type { OpenOptions } from '../files/openRegular.ts';
import { readText } from '../files/readBytes.ts';
import { PROMPT_NAMES } from '../search/llm/prompts.ts';
import type { PromptTexts } from '../search/llm/prompts.ts';

/** Where a workspace keeps prompts of its own, one file each; those that are missing are ours. */
export const PROMPTS_FOLDER = path.join('.espalier', 'prompts');

/** Bytes; a template is a page of text. */
const LONGEST = 256 << 10;

export interface PromptFolders {
  /** The prompts that Espalier comes with (media/prompts). */
  readonly shipped: string;
  /** Workspace folder. */
  readonly root: string;
}

/**
 * The templates that a new search asks with: those of the workspace where it has some, ours otherwise. A run keeps their text, so what
 * is changed later does not change it.
 *
 * @throws EspalierError `io/read` that names the file; `settings/invalid` for one that is empty, too long or no UTF-8
 */
export async function loadPrompts({ shipped, root }: PromptFolders): Promise<PromptTexts> {
  const texts = await Promise.all(
    PROMPT_NAMES.map(async (name) => {
      const own = path.join(root, PROMPTS_FOLDER, `${name}.md`);
      const text =
        (await readTemplate(own, { links: 'refuse', below: root })) ??
        (await readTemplate(path.join(shipped, `${name}.md`)));
      if (text === undefined) throw readError(path.join(shipped, `${name}.md`), 'no such file');
      return [name, text] as const;
    }),
  );
  return Object.fromEntries(texts) as PromptTexts;
}

/**
 * @param options what a repository that one clones links to, in the workspace (`.env`) or out of it, must not be sent to a provider
 * @returns undefined where there is no such file
 */
async function readTemplate(file: string, options?: OpenOptions): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readText(file, { ...options, maxBytes: LONGEST })).replaceAll('\r\n', '\n');
  } catch (error) {
    if (error instanceof EspalierError) throw error;
    const { kind, message } = fileProblem(error);
    if (kind === 'missing') return undefined;
    if (kind === 'too-large') throw templateError(file, `more than ${LONGEST} bytes`);
    throw kind === 'encoding' || kind === 'link' ? templateError(file, message) : readError(file, message);
  }
  if (text.trim() === '') throw templateError(file, 'nothing in it');
  return text;
}

function readError(file: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'io/read',
    operation: `reading ${file}`,
    expected: 'a prompt',
    actual,
    remedy: 'Check the permissions, or delete the file: the prompt that Espalier comes with is then used.',
    file,
  });
}

function templateError(file: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'settings/invalid',
    operation: `reading ${file}`,
    expected: 'the text of a prompt',
    actual,
    remedy: 'Write the prompt, or delete the file: the prompt that Espalier comes with is then used.',
    file,
  });
}
