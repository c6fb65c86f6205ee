import { beforeEach, describe, expect, it, vi } from 'vitest';
import { failureOf } from '../../support/expectCoded.ts';

/** A stand-in for the editor's language models: what it is asked, and what it answers. */
const editor = vi.hoisted(() => ({
  families: [] as string[],
  asked: [] as { prompt: string; options: object }[],
  reply: (): AsyncIterable<string> => {
    throw new Error('nothing to say');
  },
  count: (text: string): Promise<number> => Promise.resolve(text.length),
}));

vi.mock('vscode', () => {
  class LanguageModelError extends Error {
    readonly code: string;
    constructor(code: string) {
      super(`refused: ${code}`);
      this.code = code;
    }
    static NoPermissions = () => new LanguageModelError('NoPermissions');
    static NotFound = () => new LanguageModelError('NotFound');
    static Blocked = () => new LanguageModelError('Blocked');
  }
  class CancellationTokenSource {
    readonly token = { isCancellationRequested: false };
    cancel(): void {
      this.token.isCancellationRequested = true;
    }
    dispose(): void {
      this.cancel();
    }
  }
  const model = (family: string) => ({
    family,
    sendRequest: ([message]: { content: string }[], options: object) => {
      editor.asked.push({ prompt: message!.content, options });
      return Promise.resolve({ text: editor.reply() });
    },
    countTokens: (text: string) => editor.count(text),
  });
  return {
    LanguageModelError,
    CancellationTokenSource,
    LanguageModelChatMessage: { User: (content: string) => ({ content }) },
    lm: {
      selectChatModels: ({ family }: { family?: string } = {}) =>
        Promise.resolve(editor.families.filter((name) => family === undefined || name === family).map(model)),
    },
  };
});

const { EditorModel } = await import('../../../src/extension/llm/editorModel.ts');
const vscode = await import('vscode');

const never = new AbortController().signal;
const question = { token: 1, call: 0, llm: '', prompt: 'Give lists.', temperature: 0.5, replyTokens: 4 };
const says = (...parts: string[]) =>
  async function* () {
    yield* parts;
    await Promise.resolve();
  };
const fails = (error: unknown) => (): AsyncIterable<string> => {
  throw error;
};

beforeEach(() => {
  editor.families = ['one', 'one', 'two'];
  editor.asked = [];
});

describe('the editor’s language model', () => {
  const model = new EditorModel({ access: { canSendRequest: () => true } });

  it('is asked in the user’s name, with a word about why, and its reply is counted', async () => {
    editor.reply = says('[0.3, ', '0.3]');
    const answer = await model.ask({ ...question, llm: 'two' }, never);
    expect(answer).toEqual({
      text: '[0.3, 0.3]',
      usage: { promptTokens: 11, replyTokens: 10, estimated: true },
      model: 'two',
    });
    expect(editor.asked).toHaveLength(1);
    expect(editor.asked[0]).toMatchObject({ prompt: 'Give lists.', options: { modelOptions: { temperature: 0.5 } } });
    expect(JSON.stringify(editor.asked[0]!.options)).toContain('no file of yours');
  });

  it.each([
    ['cannot count', () => Promise.reject(new Error('it has gone'))],
    ['counts nonsense', () => Promise.resolve(NaN)],
  ])('that %s is not asked again for what it has said', async (_, countTokens) => {
    editor.reply = says('[0.3, 0.3]');
    editor.count = countTokens;
    const { text, usage } = await model.ask(question, never);
    editor.count = (said) => Promise.resolve(said.length);
    expect([text, usage.estimated, usage.replyTokens > 5]).toEqual(['[0.3, 0.3]', true, true]);
  });

  it('has families without repetition', async () => {
    expect((await model.families()).map(({ family }) => family)).toEqual(['one', 'two']);
  });

  it.each([
    ['no consent', () => vscode.LanguageModelError.NoPermissions(), 'llm/refused'],
    ['a quota that is used up', () => vscode.LanguageModelError.Blocked(), 'llm/rate-limited'],
    ['a model that has gone', () => vscode.LanguageModelError.NotFound(), 'llm/unreachable'],
    ['anything else', () => new Error('off line'), 'llm/unreachable'],
  ])('%s is a coded error', async (_, error, code) => {
    editor.reply = fails(error());
    const { data } = await failureOf(() => model.ask(question, never));
    expect(data.code).toBe(code);
    expect(data.remedy).toMatch(/\.$/);
  });

  it.each([
    ['none at all', [], ''],
    ['none of that name', ['one'], 'two'],
  ])('that is not there (%s) is a coded error', async (_, families, llm) => {
    editor.families = families;
    expect((await failureOf(() => model.ask({ ...question, llm }, never))).code).toBe('llm/unreachable');
  });

  it('that never ends is cut off', async () => {
    editor.reply = async function* () {
      for (;;) yield await Promise.resolve('0.30000, ');
    };
    expect((await failureOf(() => model.ask(question, never))).code).toBe('llm/bad-reply');
  });

  it('is not waited for once nobody wants the answer', async () => {
    const controller = new AbortController();
    editor.reply = async function* () {
      controller.abort();
      yield await Promise.reject(new Error('cancelled there'));
    };
    expect((await failureOf(() => model.ask(question, controller.signal))).code).toBe('cancelled');
    expect((await failureOf(() => model.ask(question, controller.signal))).code).toBe('cancelled');
    expect(editor.asked).toHaveLength(1);
    // Nor where the stream just ends.
    const another = new AbortController();
    editor.reply = async function* () {
      yield await Promise.resolve('[0.3');
      another.abort();
    };
    expect((await failureOf(() => model.ask(question, another.signal))).code).toBe('cancelled');
  });

  it.each([
    [true, 0],
    [undefined, 1],
    [false, 1],
  ])('asks for consent where it is %o', async (canSendRequest, requests) => {
    editor.reply = says('OK');
    await new EditorModel({ access: { canSendRequest: () => canSendRequest } }).prepare('', never);
    expect(editor.asked).toHaveLength(requests);
  });
});
