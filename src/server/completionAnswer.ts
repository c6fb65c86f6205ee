import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { ApiError } from './apiError.ts';
import type { Usage } from './answerCompletion.ts';
import type { ChoicePart } from './choiceText.ts';
import { logprobsOf } from './logprobs.ts';
import type { TokenEntry } from './logprobs.ts';
import type { CompletionRequest } from './readCompletion.ts';
import type { Served } from './served.ts';

/** Where an answer goes, part by part. */
export interface CompletionAnswer {
  readonly part: (choice: number, part: ChoicePart) => void;
  end(usage: Usage): void;
  /** What went wrong after it was begun. @returns whether the client was told: not while nothing was sent yet */
  fail(error: ApiError): boolean;
}

/** All of it at once, or as it comes: server-sent events, `[DONE]` the last. */
export function completionAnswer(
  request: CompletionRequest,
  served: Served,
  response: ServerResponse,
): CompletionAnswer {
  const shell = {
    id: `cmpl-${randomUUID()}`,
    object: 'text_completion',
    created: Math.floor(Date.now() / 1000),
    model: served.names[0],
    system_fingerprint: served.fingerprint,
  };
  const choiceOf = (index: number, { text, tokens, finish }: ChoicePart) => ({
    index,
    text,
    logprobs: request.logprobs === undefined ? null : logprobsOf(tokens, served, request.tokensAsIds),
    finish_reason: finish,
  });
  return request.stream ? asEvents() : atOnce();

  function atOnce(): CompletionAnswer {
    const choices = Array.from({ length: request.prompts.length * request.n }, () => ({
      texts: [] as string[],
      tokens: [] as TokenEntry[],
      finish: null as ChoicePart['finish'],
    }));
    return {
      part(index, { text, tokens, finish }) {
        const choice = choices[index]!;
        choice.texts.push(text);
        for (const token of tokens) choice.tokens.push(token);
        choice.finish = finish;
      },
      end(usage) {
        const whole = choices.map(({ texts, tokens, finish }, index) =>
          choiceOf(index, { text: texts.join(''), tokens, finish }),
        );
        sendJson(response, 200, { ...shell, choices: whole, usage });
      },
      fail: () => false,
    };
  }

  function asEvents(): CompletionAnswer {
    const send = (data: unknown): void => {
      if (!response.headersSent) {
        response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
      }
      response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    };
    // Who asked for the usage gets the field in every event.
    const others = request.includeUsage ? { usage: null } : {};
    return {
      part: (index, part) => {
        send({ ...shell, choices: [choiceOf(index, part)], ...others });
      },
      end(usage) {
        if (request.includeUsage) send({ ...shell, choices: [], usage });
        send('[DONE]');
        response.end();
      },
      fail({ body }) {
        if (!response.headersSent) return false;
        send(body);
        response.end();
        return true;
      },
    };
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(bytes);
}
