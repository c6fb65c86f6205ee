import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

/** What somebody wrote who named a path that is not there, and what to write instead. */
export interface MissingPath {
  /** Behind "got". */
  readonly actual: string;
  readonly remedy: string;
}

/**
 * What a path that leads nowhere was meant to be: `~` and variables are put in by shells only, addresses and names of the hub are no
 * paths, and those of Windows are none elsewhere. Undefined where it is a plain path.
 *
 * @param missing absolute, as it came of the folder that relative paths start from
 */
export async function readMissingPath(missing: string): Promise<MissingPath | undefined> {
  const written = await partThatIsMissing(missing);
  for (const { pattern, read } of FORMS) {
    const match = pattern.exec(written);
    if (match) return read(match);
  }
  return undefined;
}

/** A name of the hub: `meta-llama/Llama-3.2-1B`, or `gpt2`. Undefined where what is missing of the path could be none. */
export async function hubIdOf(missing: string): Promise<string | undefined> {
  const written = await partThatIsMissing(missing);
  return /^\w[\w.-]*(\/\w[\w.-]*)?$/.test(written) ? written : undefined;
}

export function hubRemedy(id: string): string {
  return `Write hf:${id}: then it is looked up in the cache, and fetched where that is agreed to.`;
}

interface Form {
  /** Of the part of the path that is missing, with `/` between names. */
  readonly pattern: RegExp;
  readonly read: (match: RegExpExecArray) => MissingPath;
}

const FORMS: readonly Form[] = [
  {
    pattern: /^~\/?(.*)$/,
    read: ([, rest = '']) => ({
      actual: 'a path that begins with ~, which only a shell puts in',
      remedy: `Write it in full: ${path.join(homedir(), rest)}.`,
    }),
  },
  {
    pattern: /^(\$\w+|\$\{\w+\}|%\w+%)/,
    read: ([, variable]) => ({
      actual: `a path with ${variable}, which only a shell puts in`,
      remedy: 'Write the path in full.',
    }),
  },
  {
    pattern: /^file:\/*(.*)$/,
    read: ([, rest = '']) => ({
      actual: 'an address that begins with file:',
      remedy: `Write the path alone: ${/^[A-Za-z]:/.test(rest) ? '' : '/'}${decoded(rest)}.`,
    }),
  },
  {
    pattern:
      /^(?:[hH][fF]:\/*|https?:\/(?:www\.)?(?:huggingface\.co|hf\.co)\/)(?:models\/|datasets\/)?([^/@:]+(?:\/[^/@:]+)?).*$/,
    read: ([, id = '']) => ({ actual: 'a name of the Hugging Face hub', remedy: hubRemedy(id) }),
  },
  {
    pattern: /^[a-z][a-z0-9+.-]+:\//,
    read: ([scheme]) => ({
      actual: `an address that begins with ${scheme.slice(0, -1)}`,
      remedy: 'Download it, and give the path of what was downloaded.',
    }),
  },
  {
    pattern: /^[A-Za-z]:[\\/]|\\/,
    read: () => ({
      actual: 'a path of Windows, where names are parted by / and no drive has a letter',
      remedy: 'Write it as this system has it (in WSL, C:\\ is /mnt/c/).',
    }),
  },
  {
    pattern: /^["'\s]|["'\s]$/,
    read: () => ({
      actual: 'a path with a blank or a quote at its beginning or end',
      remedy: 'Leave it out.',
    }),
  },
];

/** What of the path is not there, from the first missing name on. */
async function partThatIsMissing(missing: string): Promise<string> {
  let there = path.resolve(missing);
  const rest: string[] = [];
  while (!(await exists(there)) && path.dirname(there) !== there) {
    rest.unshift(path.basename(there));
    there = path.dirname(there);
  }
  return rest.join('/');
}

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** `%20` is a blank in an address. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
