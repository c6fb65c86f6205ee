import { EspalierError } from '../base/errors.ts';
import type { ErrorData } from '../base/errors.ts';
import type { ParsedReference, HubReference } from '../experiment/hubReference.ts';
import { hubPage, MODEL_FORM, printReference, TEXT_FORM } from '../experiment/hubReference.ts';
import { endpointText } from './hubEnvironment.ts';
import type { HubEnvironment } from './hubEnvironment.ts';

/** What is asked of the hub, and of whom. */
export interface Asked extends Pick<HubEnvironment, 'endpoint'> {
  readonly reference: HubReference;
}

type Said = Pick<ErrorData, 'code' | 'expected' | 'actual' | 'remedy'>;

export function hubError({ reference }: Pick<Asked, 'reference'>, said: Said, options?: ErrorOptions): EspalierError {
  return new EspalierError({ operation: `fetching ${printReference(reference)}`, ...said }, options);
}

/** @throws EspalierError `hub/reference` for what says nothing */
export function requireReference<Of extends HubReference>(
  text: string,
  parse: (text: string) => ParsedReference<Of>,
  what: 'model' | 'text',
): Of {
  const parsed = parse(text);
  if ('reference' in parsed) return parsed.reference;
  throw new EspalierError({
    code: 'hub/reference',
    operation: `reading ${text.slice(0, 200)}`,
    expected: what === 'model' ? MODEL_FORM : TEXT_FORM,
    actual: parsed.problem,
    remedy: `Correct the name of the ${what}.`,
  });
}

/** 401 and 403: the hub does not say whether there is nothing or whether it may not be seen. @param hasToken whether one was sent */
export function refusedError(asked: Asked, status: number, said: string, hasToken: boolean): EspalierError {
  const page = hubPage(asked.reference, endpointText(asked.endpoint));
  const token = hasToken
    ? 'Check that the token (HF_TOKEN, or `hf auth login`) is that account’s, is valid and may read gated repositories.'
    : 'Then set HF_TOKEN to a token of that account, or log in with `hf auth login`.';
  return hubError(asked, {
    code: 'hub/gated',
    expected: 'to be allowed to read it',
    actual: `${status}${said === '' ? '' : `: ${said}`}${hasToken ? '' : ', without a token'}`,
    remedy: `It may be gated, private or misspelt: accept its licence at ${page}. ${token}`,
  });
}

export function notFoundError(asked: Asked, what: string, remedy?: string): EspalierError {
  return hubError(asked, {
    code: 'hub/not-found',
    expected: `${what} at ${endpointText(asked.endpoint)}`,
    actual: 'none (404)',
    remedy: remedy ?? `Check the spelling at ${hubPage(asked.reference, endpointText(asked.endpoint))}.`,
  });
}

export function badReplyError(asked: Asked, expected: string, actual: string): EspalierError {
  return hubError(asked, {
    code: 'hub/bad-reply',
    expected,
    actual,
    remedy: 'Try again; where it stays so, check HF_ENDPOINT and what stands between this machine and it.',
  });
}

/** @param missing what is not in the cache */
export function offlineError(asked: Asked & Pick<HubEnvironment, 'cache'>, missing: string): EspalierError {
  return hubError(asked, {
    code: 'hub/offline',
    expected: `it in the cache ${asked.cache}, as nothing may be fetched (HF_HUB_OFFLINE)`,
    actual: missing,
    remedy: `Unset HF_HUB_OFFLINE, or bring it into the cache first: \`espalier hub download ${printReference(asked.reference)}\`.`,
  });
}
