import * as z from 'zod';
import { AbstractMessageReader } from 'vscode-jsonrpc';
import type { DataCallback, Disposable, Message, MessageReader, MessageWriter } from 'vscode-jsonrpc';
import { parseMessage, toResponseError } from './errors.ts';

const idSchema = z.union([z.string().max(256), z.int()]);
const methodSchema = z.string().min(1).max(256);
const versionSchema = z.literal('2.0');

const envelopeSchema = z.union([
  z.looseObject({
    jsonrpc: versionSchema,
    method: z.literal('$/cancelRequest'),
    id: z.never().optional(),
    params: z.looseObject({ id: idSchema }),
  }),
  z.looseObject({
    jsonrpc: versionSchema,
    method: methodSchema.regex(/^[^$]/, 'a name'),
    id: idSchema.optional(),
    params: z.unknown(),
  }),
  z.looseObject({
    jsonrpc: versionSchema,
    id: idSchema,
    result: z.unknown(),
    error: z.never().optional(),
    method: z.never().optional(),
  }),
  z.looseObject({
    jsonrpc: versionSchema,
    id: idSchema.nullable(),
    error: z.looseObject({ code: z.int(), message: z.string() }),
    method: z.never().optional(),
  }),
]);

/**
 * A reader that lets only well-formed JSON-RPC 2.0 through. vscode-jsonrpc itself trusts its peer: a cancellation without an
 * id makes it throw out of its callback. What is malformed is answered with `protocol/malformed`, under its own id where it
 * has one, and goes no further.
 */
export class GuardedReader extends AbstractMessageReader {
  private readonly reader: MessageReader;
  private readonly writer: MessageWriter;

  constructor(reader: MessageReader, writer: MessageWriter) {
    super();
    this.reader = reader;
    this.writer = writer;
    reader.onError((error) => {
      this.fireError(error);
    });
    reader.onClose(() => {
      this.fireClose();
    });
  }

  listen(callback: DataCallback): Disposable {
    return this.reader.listen((message) => {
      try {
        parseMessage(envelopeSchema, message, 'reading a message');
      } catch (error) {
        this.answer(message, error);
        return;
      }
      callback(message);
    });
  }

  override dispose(): void {
    super.dispose();
    this.reader.dispose();
  }

  private answer(message: unknown, error: unknown): void {
    // An answer to a malformed answer would go round for ever.
    if (looksLikeReply(message)) return;
    const id = idSchema.safeParse((message as { id?: unknown } | null)?.id);
    const reply = {
      jsonrpc: '2.0',
      id: id.success ? id.data : null,
      error: toResponseError(error, 'reading a message').toJson(),
    };
    this.writer.write(reply as Message).catch(() => {
      // Nobody is left to read the answer; the closed connection is reported by the reader.
    });
  }
}

function looksLikeReply(message: unknown): boolean {
  return (
    typeof message === 'object' &&
    message !== null &&
    ('error' in message || 'result' in message) &&
    !('method' in message)
  );
}
