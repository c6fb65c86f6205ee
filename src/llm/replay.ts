import { EspalierError } from '../base/errors.ts';
import type { SearchEvent } from '../search/kinds.ts';
import type { LlmAskedEvent, LlmReply } from '../search/llm/events.ts';
import { LanguageModelError, LostReply } from './languageModel.ts';
import type { Completion, LanguageModel, LlmErrorCode, Question } from './languageModel.ts';

/** Where in a search a question is asked; there may be several at one. */
export type Place = Pick<LlmAskedEvent, 'role' | 'generation'>;

interface Recorded {
  readonly asked: LlmAskedEvent;
  readonly reply: LlmReply;
}

/**
 * Gives the replies of a recorded run again, failures included: offline, and the same every time. Questions are matched by role,
 * generation and their order among those, and must be word for word what was asked then.
 *
 * @param run id of the recorded run, for errors
 * @param events of its journal, in order
 * @param answered what the search that it is replayed to has asked before it was interrupted: these replies it has
 */
export function replayModel(
  run: string,
  events: Iterable<SearchEvent>,
  answered: readonly Place[] = [],
): LanguageModel {
  const recorded = recordedIn(events);
  const next = new Map<string, number>();
  for (const place of answered.map(placeOf)) next.set(place, (next.get(place) ?? 0) + 1);
  return {
    // The order of the calls is the order of the questions: nothing is waited for before a place is taken.
    complete: (question) => {
      const place = placeOf(question);
      const index = next.get(place) ?? 0;
      next.set(place, index + 1);
      const found = recorded.get(place)?.[index];
      return Promise.resolve().then(() => completionOf(run, question, found));
    },
  };
}

function recordedIn(events: Iterable<SearchEvent>): ReadonlyMap<string, readonly Recorded[]> {
  const asked = new Map<number, LlmAskedEvent>();
  const recorded = new Map<string, Recorded[]>();
  for (const event of events) {
    if (event.kind === 'llm-asked') asked.set(event.call, event);
    if (event.kind !== 'llm-replied') continue;
    const question = asked.get(event.call);
    if (!question) continue;
    const place = placeOf(question);
    recorded.set(place, [...(recorded.get(place) ?? []), { asked: question, reply: event.reply }]);
  }
  return recorded;
}

function placeOf({ role, generation }: Place): string {
  return `${generation}/${role}`;
}

function completionOf(run: string, { prompt, role, generation }: Question, found: Recorded | undefined): Completion {
  const where = `to “${role}” in generation ${generation}`;
  if (!found) throw differs(run, `a reply ${where}`, 'none');
  if (found.asked.prompt !== prompt) {
    throw differs(run, `the question ${where} as it was`, difference(found.asked.prompt, prompt));
  }
  const { reply } = found;
  switch (reply.kind) {
    case 'text': {
      const { text, usage, model } = reply;
      return { text, usage, model };
    }
    case 'lost':
      throw new LostReply();
    case 'failed': {
      const { code, expected, actual, remedy } = reply.error;
      if (!code.startsWith('llm/')) throw new EspalierError(reply.error);
      throw new LanguageModelError({ code: code as LlmErrorCode, expected, actual, remedy, usage: reply.usage });
    }
  }
}

/** Where two prompts part, with a little of what comes there. */
function difference(before: string, now: string): string {
  let same = 0;
  while (same < before.length && before[same] === now[same]) same++;
  const line = before.slice(0, same).split('\n').length;
  const shown = (text: string): string => JSON.stringify(text.slice(Math.max(0, same - 10), same + 30));
  return `another one from line ${line} on: ${shown(now)}, not ${shown(before)}`;
}

function differs(run: string, expected: string, actual: string): LanguageModelError {
  return new LanguageModelError({
    code: 'llm/not-recorded',
    expected: `${expected} in the run ${run}`,
    actual,
    remedy: 'Replay a run of the same plan, model, texts and seed.',
  });
}
