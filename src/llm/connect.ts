import { EspalierError } from '../base/errors.ts';
import type { LlmSettings } from '../search/llm/settings.ts';
import type { LlmGrant } from '../search/llm/endpoint.ts';
import type { SearchEvent } from '../search/kinds.ts';
import { checkWhole } from '../runs/journalReader.ts';
import { findRun, journalOf, openRun } from '../runs/runFolder.ts';
import type { LanguageModel } from './languageModel.ts';
import { openAiModel } from './openAi.ts';
import { replayModel } from './replay.ts';
import type { Place } from './replay.ts';
import { withRetries } from './retries.ts';
import type { Timer } from './retries.ts';

/** What reaching a language model takes beside its settings. It is kept in memory and nowhere else. */
export interface LanguageModelAccess {
  /** The endpoint that may be asked, and its key. */
  readonly grant?: LlmGrant | undefined;
  /** The editor's language model, where there is an editor. */
  readonly host?: ((settings: LlmSettings, timer: Timer) => LanguageModel) | undefined;
}

/**
 * The language model that settings name; undefined for `none`.
 *
 * @param root workspace folder, where the run to replay is
 * @param answered what the search has asked before it was interrupted
 * @throws EspalierError `settings/invalid`, `llm/no-key`, `llm/not-agreed`, `llm/unreachable` without an editor, `runs/…` for a run that cannot be replayed
 */
export async function connectLanguageModel(
  settings: LlmSettings,
  { grant, host }: LanguageModelAccess,
  { root, timer, answered }: { readonly root: string; readonly timer: Timer; readonly answered: readonly Place[] },
): Promise<LanguageModel | undefined> {
  switch (settings.provider) {
    case 'none':
      return undefined;
    case 'openai':
      return withRetries(openAiModel({ settings, grant, timer }), settings, timer);
    case 'vscode':
      if (!host) throw noEditorError();
      return withRetries(host(settings, timer), settings, timer);
    case 'replay':
      return replayModel(settings.replay, await languageEvents(root, settings.replay), answered);
  }
}

/** What was asked in a run, and answered; the rest of its journal is not kept. */
async function languageEvents(root: string, id: string): Promise<readonly SearchEvent[]> {
  const events: SearchEvent[] = [];
  const journal = journalOf(await openRun(await findRun(root, id)));
  for await (const records of journal.more()) {
    for (const { event } of records) {
      if (event.kind === 'llm-asked' || event.kind === 'llm-replied') events.push(event);
    }
  }
  checkWhole(journal);
  return events;
}

function noEditorError(): EspalierError {
  return new EspalierError({
    code: 'llm/unreachable',
    operation: 'setting up the language model',
    expected: 'an editor, whose language model is asked',
    actual: 'the command line',
    remedy: 'Go on in the editor, or begin a search with another provider.',
  });
}
