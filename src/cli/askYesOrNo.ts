import { createInterface } from 'node:readline/promises';

/** Where one asks a person: both ends have to be a terminal. */
export interface Conversation {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** Standard error: standard output is for results. */
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly signal: AbortSignal;
}

/**
 * Asks a person; anything but `y` or `yes` is a no, and so are Ctrl-D and Ctrl-C.
 *
 * @returns undefined where no person is there
 */
export function questioner({
  input,
  output,
  signal,
}: Conversation): ((question: string) => Promise<boolean>) | undefined {
  if (input.isTTY !== true || output.isTTY !== true) return undefined;
  return async (question) => {
    const lines = createInterface({ input, output });
    const gone = new AbortController();
    lines.once('close', () => {
      gone.abort();
    });
    // With the terminal in its hands it is readline that hears Ctrl-C.
    lines.once('SIGINT', () => {
      lines.close();
    });
    try {
      const answer = await lines.question(`${question} [y/N] `, { signal: AbortSignal.any([signal, gone.signal]) });
      return /^\s*y(es)?\s*$/i.test(answer);
    } catch {
      return false;
    } finally {
      lines.close();
    }
  };
}
