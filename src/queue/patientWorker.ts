import type * as Package from './queuePackage.ts';
import { AGAIN, delay } from './reopened.ts';
import { troubleOf } from './serverTrouble.ts';

/** The library's worker, which gives up an answer where the connection breaks (somebody has to compute it again), and asks on without a pause. */
export function patientWorker<Backend extends Package.IQueueBackend, Connection>(
  { Worker }: Package.BackendClasses<Backend, Connection>,
  onError: (error: Error) => void,
) {
  type Job = Package.Job<unknown, unknown>;
  return class extends Worker<unknown, unknown> {
    protected override async handleCompleted(
      result: unknown,
      job: Job,
      token: string,
      fetchNext?: () => boolean,
      span?: Package.Span,
    ): Promise<Job> {
      for (;;) {
        try {
          return await super.handleCompleted(result, job, token, fetchNext, span);
        } catch (error) {
          if (troubleOf(error) === undefined || this.isClosing()) throw error;
          onError(error as Error);
          await delay(AGAIN);
        }
      }
    }

    protected override async moveToActive(token: string, name?: string): Promise<Job> {
      try {
        return await super.moveToActive(token, name);
      } catch (error) {
        await delay(AGAIN);
        throw error;
      }
    }

    private isClosing(): boolean {
      return Boolean(this.closing);
    }
  };
}
