import * as z from 'zod';
import { throwIfCancelled } from '../base/errors.ts';
import { checkEndpoint } from '../search/llm/endpoint.ts';
import { Deadline } from './deadline.ts';
import { newOpenAiClient } from './openAiClient.ts';
import { failureOf, shapeError } from './openAiErrors.ts';
import { redactReply } from '../base/redact.ts';
import type { Timer } from './retries.ts';

/** An OpenAI-compatible endpoint that is being set up. */
export interface Endpoint {
  /** Base URL; empty for OpenAI's own. */
  readonly url: string;
  readonly key: string | undefined;
}

/** Seconds: a list of names takes no longer. */
const PATIENCE = 5;

const listShape = z.object({ data: z.array(z.object({ id: z.string().min(1) })) });

/**
 * Names of the models that an endpoint has, sorted.
 *
 * @throws EspalierError `settings/invalid`, `llm/…`, `cancelled`
 */
export async function listModels({ url, key }: Endpoint, timer: Timer, signal: AbortSignal): Promise<string[]> {
  const endpoint = checkEndpoint(url);
  const openAi = await import('./openAiPackage.ts');
  const deadline = new Deadline(timer, PATIENCE * 1000, signal);
  try {
    const client = newOpenAiClient(openAi, endpoint, key);
    const response = await client.models.list({ signal: deadline.signal }).asResponse();
    return namesIn(await response.text(), key);
  } catch (error) {
    throwIfCancelled(signal, 'asking for the models of an endpoint');
    const failing = { endpoint, key, timedOut: deadline.passed, seconds: PATIENCE, usage: undefined };
    throw failureOf(openAi, error, failing);
  } finally {
    deadline.end();
  }
}

function namesIn(text: string, key: string | undefined): string[] {
  let list: z.infer<typeof listShape>;
  try {
    list = listShape.parse(JSON.parse(text));
  } catch {
    throw shapeError('no list of models');
  }
  return [...new Set(list.data.map(({ id }) => redactReply(id, key)))].sort();
}
