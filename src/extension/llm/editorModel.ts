import * as vscode from 'vscode';
import { cancelledError, EspalierError, throwIfCancelled } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errors.ts';
import { MAX_REPLY } from '../../search/llm/schema.ts';
import { estimateUsage } from '../../llm/languageModel.ts';
import type { AskLanguageModel, LanguageModelAnswer } from '../../protocol/requests.ts';
import type { LlmUsage } from '../../search/llm/events.ts';

/** Characters of a token, at most: a model of the editor is not told how long its reply may be, so that what is longer is cut off here. */
const CHARACTERS_OF_TOKEN = 16;
const OPERATION = 'asking the editor’s language model';
const JUSTIFICATION =
  'Espalier asks it for layer-wise pruning rates. Prompts hold rates, perplexities and the name of the model that is pruned, no file of yours.';

/** What the editor's own language models are asked through; VS Code asks the user for consent the first time. */
export interface EditorModelParts {
  readonly access: Pick<vscode.LanguageModelAccessInformation, 'canSendRequest'>;
}

/** Answers a search's questions with the editor's own language model. */
export class EditorModel {
  private readonly parts: EditorModelParts;

  constructor(parts: EditorModelParts) {
    this.parts = parts;
  }

  /** Families that there are, without repetition. */
  async families(): Promise<readonly vscode.LanguageModelChat[]> {
    const models = await vscode.lm.selectChatModels();
    return models.filter((model, i) => models.findIndex(({ family }) => family === model.family) === i);
  }

  /**
   * Has the user's consent asked for where it is not there yet: while something that the user did is going on, as VS Code demands.
   *
   * @param family empty for any
   * @throws EspalierError as {@link ask}
   */
  async prepare(family: string, signal: AbortSignal): Promise<void> {
    const model = await select(family);
    if (this.parts.access.canSendRequest(model) === true) return;
    await send(model, 'Answer with the single word OK.', { temperature: 0, replyTokens: 1024 }, signal);
  }

  /**
   * Rejects with `llm/unreachable` where there is no such model, `llm/refused` without consent, `llm/rate-limited` where the quota is used
   * up, `llm/bad-reply` for one without an end.
   */
  readonly ask: AskLanguageModel = async ({ llm, prompt, temperature, replyTokens }, signal) => {
    const model = await select(llm);
    return send(model, prompt, { temperature, replyTokens }, signal);
  };
}

async function select(family: string): Promise<vscode.LanguageModelChat> {
  const [model] = await vscode.lm.selectChatModels(family === '' ? {} : { family });
  if (model) return model;
  throw error(
    'llm/unreachable',
    family === '' ? 'a language model in this editor' : `the language model ${family} in this editor`,
    'none',
    'Install or sign in to an extension that brings one, or set up an endpoint with Espalier: Set Up Language Model….',
  );
}

async function send(
  model: vscode.LanguageModelChat,
  prompt: string,
  { temperature, replyTokens: most }: { readonly temperature: number; readonly replyTokens: number },
  signal: AbortSignal,
): Promise<LanguageModelAnswer> {
  throwIfCancelled(signal, OPERATION);
  const cancellation = new vscode.CancellationTokenSource();
  const cancel = (): void => {
    cancellation.cancel();
  };
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const { token } = cancellation;
    // There are no system messages here: the prompt says everything.
    const messages = [vscode.LanguageModelChatMessage.User(prompt)];
    const response = await model.sendRequest(
      messages,
      { justification: JUSTIFICATION, modelOptions: { temperature } },
      token,
    );
    let text = '';
    for await (const part of response.text) {
      text += part;
      if (text.length > Math.min(most * CHARACTERS_OF_TOKEN, MAX_REPLY))
        throw error('llm/bad-reply', `at most ${most} tokens`, 'a reply without an end', 'Choose another model.');
    }
    // A stream that is cancelled may end as if it were whole.
    throwIfCancelled(signal, OPERATION);
    return { text, usage: await count(model, prompt, text, token), model: model.family };
  } catch (thrown) {
    if (signal.aborted) throw cancelledError(OPERATION);
    throw asCoded(thrown);
  } finally {
    signal.removeEventListener('abort', cancel);
    cancellation.dispose();
  }
}

/** By the model's own tokens, or roughly where it cannot tell: a reply that is there is not asked for again. */
async function count(
  model: vscode.LanguageModelChat,
  prompt: string,
  text: string,
  token: vscode.CancellationToken,
): Promise<LlmUsage> {
  try {
    const [promptTokens, replyTokens] = [await model.countTokens(prompt, token), await model.countTokens(text, token)];
    if (Number.isSafeInteger(promptTokens + replyTokens)) return { promptTokens, replyTokens, estimated: true };
  } catch {
    // The model has vanished, say.
  }
  return estimateUsage(prompt, text);
}

/** What VS Code's own errors mean. */
function asCoded(thrown: unknown): EspalierError {
  if (thrown instanceof EspalierError) return thrown;
  const code = thrown instanceof vscode.LanguageModelError ? thrown.code : '';
  const actual = thrown instanceof Error ? thrown.message : String(thrown);
  switch (code) {
    case vscode.LanguageModelError.NoPermissions.name:
      return error(
        'llm/refused',
        'your consent',
        'none',
        'Allow it when VS Code asks, or under Manage Language Model Access of the extension Espalier; then resume.',
      );
    case vscode.LanguageModelError.NotFound.name:
      return error('llm/unreachable', 'a model that is still there', actual, 'Choose another model.');
    case vscode.LanguageModelError.Blocked.name:
      return error('llm/rate-limited', 'a quota that is not used up', actual, 'Wait, or choose another model.');
    default:
      return error('llm/unreachable', 'an answer', actual, 'Try again, or choose another model.');
  }
}

function error(code: ErrorCode, expected: string, actual: string, remedy: string): EspalierError {
  return new EspalierError({ code, operation: OPERATION, expected, actual, remedy });
}
