import * as vscode from 'vscode';
import { cancelledError, EspalierError } from '../../base/errors.ts';
import { formatBytes } from '../../experiment/format.ts';
import { isHubReference, printReference } from '../../experiment/hubReference.ts';
import { hubEnvironment, hubToken } from '../../hub/hubEnvironment.ts';
import type { HubOffer, HubProgress } from '../../hub/locate.ts';
import { cachedHub, namesHub, resolveHub } from '../../hub/resolveHub.ts';
import type { HubInputs } from '../../hub/resolveHub.ts';
import { askModal, withNotification } from '../messages.ts';
import type { Progress } from '../messages.ts';

/** The Hugging Face hub as a person in the editor meets it: nothing is asked of it without trust, and nothing fetched without a yes. */
export class HubAccess {
  private readonly onFetched: () => void;

  /** @param onFetched something is in the cache that was not */
  constructor(onFetched: () => void) {
    this.onFetched = onFetched;
  }

  /** A plan with paths in the place of those names that the cache knows; the others stay. Asks nobody. */
  readonly cached = async <Plan extends HubInputs>(plan: Plan): Promise<Plan> =>
    namesHub(plan) && vscode.workspace.isTrusted ? cachedHub(plan, hubEnvironment()) : plan;

  /**
   * The folder of a checkpoint that is to be looked at alone.
   *
   * @throws EspalierError `hub/not-agreed` where something of it would have to be fetched
   */
  readonly modelHere = async (model: string): Promise<string> => {
    const { model: place } = await this.cached({ model });
    if (!isHubReference(place)) return place;
    throw new EspalierError({
      code: 'hub/not-agreed',
      operation: `looking at ${place}`,
      expected: 'all of it in the cache',
      actual: 'none, or a part of it',
      remedy: 'Evaluate with it: then you are asked whether it is downloaded.',
    });
  };

  /**
   * A plan with paths in the place of all names, whose files are there. What is missing is fetched where a person agrees, with a notification
   * that says how far it is.
   *
   * @throws EspalierError `hub/…`, `io/write`; `cancelled` where the answer is no, or somebody stops it
   */
  readonly located = async <Plan extends HubInputs>(plan: Plan, signal?: AbortSignal): Promise<Plan> => {
    if (!namesHub(plan)) return plan;
    if (!vscode.workspace.isTrusted) throw untrusted(Object.values(plan).find(isName) ?? '');
    const stopped = new AbortController();
    const told = new Told(() => {
      stopped.abort();
    });
    try {
      return await resolveHub(plan, {
        environment: hubEnvironment(),
        token: () => hubToken(),
        signal: signal ? AbortSignal.any([signal, stopped.signal]) : stopped.signal,
        agree: async (offer) => {
          if (!(await isAgreed(offer))) throw cancelledError(`fetching ${printReference(offer.reference)}`);
          told.begin(`Downloading ${printReference(offer.reference)}`);
          return true;
        },
        onProgress: (progress) => {
          told.report(progress);
        },
      });
    } finally {
      const hasFetched = told.hasBegun;
      told.end();
      if (hasFetched) this.onFetched();
    }
  };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && isHubReference(value);
}

const DOWNLOAD = 'Download';

async function isAgreed(offer: HubOffer): Promise<boolean> {
  const { reference, files, bytes, endpoint, cache, licence, isGated, page } = offer;
  const lines = [
    `${files} ${files === 1 ? 'file' : 'files'}, ${formatBytes(bytes)}, from ${endpoint}`,
    `to ${cache}, the cache that Python’s library shares.`,
    ...(licence === undefined ? [] : [`Licence: ${licence}.`]),
    ...(isGated ? [`It is gated: its licence has to be accepted at ${page}, and a token to be set (HF_TOKEN).`] : []),
  ];
  return (await askModal(`Download ${printReference(reference)}?`, lines, DOWNLOAD)) === DOWNLOAD;
}

/** The notification of what is being fetched; one at a time. */
class Told {
  private readonly stop: () => void;
  private progress: Progress | undefined;
  private done: (() => void) | undefined;
  private share = 0;
  hasBegun = false;

  constructor(stop: () => void) {
    this.stop = stop;
  }

  begin(title: string): void {
    this.end();
    this.hasBegun = true;
    this.share = 0;
    void withNotification(title, (progress, token) => {
      token.onCancellationRequested(this.stop);
      this.progress = progress;
      return new Promise<void>((resolve) => (this.done = resolve));
    });
  }

  report({ done, total, file }: HubProgress): void {
    const share = total === 0 ? 100 : (100 * done) / total;
    // The editor draws each report; a model comes in hundreds of thousands of pieces.
    if (Math.floor(share * 2) === Math.floor(this.share * 2) && share < 100) return;
    const message = `${formatBytes(done)} of ${formatBytes(total)}: ${file}`;
    this.progress?.report({ message, increment: share - this.share });
    this.share = share;
  }

  end(): void {
    this.done?.();
    this.done = undefined;
    this.progress = undefined;
  }
}

function untrusted(reference: string): EspalierError {
  return new EspalierError({
    code: 'hub/not-agreed',
    operation: `fetching ${reference}`,
    expected: 'a workspace that you trust',
    actual: 'one in restricted mode',
    remedy: 'Trust it first (Workspaces: Manage Workspace Trust): nothing is fetched for files of others.',
  });
}
