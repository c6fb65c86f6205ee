import path from 'node:path';
import { EspalierError } from '../base/errors.ts';
import { fileProblem } from '../files/fileProblem.ts';
import { hubCacheFolder, hubHome, placeOf, said } from '../files/hubFolder.ts';
import type { Variables } from '../files/hubFolder.ts';
import { readText } from '../files/readBytes.ts';

/**
 * Where the hub and its cache are, as Python's library reads them from the environment (huggingface_hub/constants.py). The token is not in
 * it: {@link hubToken} reads that when it is sent.
 */
export interface HubEnvironment {
  /** Absolute: the folder with `models--OWNER--NAME`. */
  readonly cache: string;
  /** Without a slash at its end. */
  readonly endpoint: URL;
  /** Nothing may be asked: what is in the cache is all there is. */
  readonly isOffline: boolean;
  /** Whether files of a snapshot may be links to the blobs. */
  readonly mayLink: boolean;
  /** Milliseconds in which a server that says nothing is given up. */
  readonly patience: number;
}

const DEFAULT_ENDPOINT = 'https://huggingface.co';

/** @throws EspalierError `hub/reference` for an `HF_ENDPOINT` that is no address */
export function hubEnvironment(variables: Variables = process.env): HubEnvironment {
  return {
    cache: hubCacheFolder(variables),
    endpoint: endpointOf(said(variables, 'HF_ENDPOINT') ?? DEFAULT_ENDPOINT),
    isOffline: isTrue(said(variables, 'HF_HUB_OFFLINE') ?? variables['TRANSFORMERS_OFFLINE']),
    mayLink: !isTrue(variables['HF_HUB_DISABLE_SYMLINKS']),
    patience: secondsOf(variables['HF_HUB_DOWNLOAD_TIMEOUT']) * 1000,
  };
}

/**
 * The token of the person, for the endpoint and nobody else.
 *
 * @returns undefined where there is none, or it is not to be sent without being asked for (`HF_HUB_DISABLE_IMPLICIT_TOKEN`)
 */
export async function hubToken(variables: Variables = process.env): Promise<string | undefined> {
  if (isTrue(variables['HF_HUB_DISABLE_IMPLICIT_TOKEN'])) return undefined;
  const inVariables = cleanToken(variables['HF_TOKEN']) ?? cleanToken(variables['HUGGING_FACE_HUB_TOKEN']);
  if (inVariables !== undefined) return inVariables;
  const own = said(variables, 'HF_TOKEN_PATH');
  const file = own === undefined ? path.join(hubHome(variables), 'token') : placeOf(own, variables);
  try {
    return cleanToken(await readText(file, { maxBytes: 4096 }));
  } catch (thrown) {
    // A file that is there and cannot be read is no reason to ask without it: the answer would be a wrong "no such model".
    const problem = fileProblem(thrown);
    if (problem.missing) return undefined;
    throw new EspalierError({
      code: 'io/read',
      operation: 'reading the token for the Hugging Face hub',
      expected: 'a file with one line',
      actual: problem.message,
      remedy: 'Log in again (`hf auth login`), or set HF_TOKEN.',
      file,
    });
  }
}

function endpointOf(written: string): URL {
  const url = URL.canParse(written) ? new URL(written.replace(/\/+$/, '')) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === '') return url;
  throw new EspalierError({
    code: 'hub/reference',
    operation: 'reading HF_ENDPOINT',
    expected: 'an address such as https://huggingface.co',
    actual: url === undefined ? 'what is none' : 'one with more in it than scheme, host, port and path',
    remedy: 'Correct the variable, or unset it.',
  });
}

function isTrue(value: string | undefined): boolean {
  return /^(1|on|yes|true)$/i.test(value ?? '');
}

/** Of Python's library 10 seconds. */
function secondsOf(written: string | undefined): number {
  return /^[1-9]\d{0,4}$/.test(written ?? '') ? Number(written) : 10;
}

function cleanToken(text: string | undefined): string | undefined {
  const token = text?.replace(/[\r\n]/g, '').trim();
  // What no header can hold would be an error that shows it.
  return token === undefined || token === '' || !/^[\x21-\x7e]+$/.test(token) ? undefined : token;
}

/** The address of something below the endpoint, whose path may not be empty. @param path without a slash before it */
export function addressOf({ endpoint }: Pick<HubEnvironment, 'endpoint'>, path: string): string {
  return `${endpointText(endpoint)}/${path}`;
}

export function endpointText(endpoint: URL): string {
  return endpoint.href.replace(/\/+$/, '');
}
