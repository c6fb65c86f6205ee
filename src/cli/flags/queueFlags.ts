import type { Command } from 'commander';
import { EspalierError } from '../../base/errors.ts';
import { QUEUE_PASSWORD_VARIABLE, QUEUE_VARIABLE } from '../../base/secretVariables.ts';
import { holdsPassword, readQueueAddress } from '../../queue/queueAddress.ts';
import type { QueueAddress } from '../../queue/queueAddress.ts';
import type { Environment } from '../terminal.ts';

/** As commander parses it: true where no address stands behind the flag. */
export interface QueueOptions {
  readonly queue?: string | true;
}

const OPERATION = 'reading --queue';

/** @param what is done over the queue */
export function addQueueFlag(command: Command, what = 'workers of a queue answer, instead of processes here'): Command {
  return command.option(
    '--queue [address]',
    `${what}: redis://HOST, rediss://HOST, postgres://HOST/DATABASE; without an address that of ${QUEUE_VARIABLE}. ` +
      `A password stands in ${QUEUE_PASSWORD_VARIABLE} or in ${QUEUE_VARIABLE}`,
  );
}

/**
 * The queue that a command line names; undefined where it names none.
 *
 * A password goes to the server that it was meant for: that of the address in ESPALIER_QUEUE, where that is set, and otherwise to the one that is typed.
 *
 * @throws EspalierError `queue/address` for what is no address, for one with a password in it, and for a flag without an address where ESPALIER_QUEUE has
 * none; what may be a password is not repeated
 */
export function askedQueue({ queue }: QueueOptions, env: Environment): QueueAddress | undefined {
  if (queue === undefined) return undefined;
  const own = env[QUEUE_VARIABLE]?.trim() ?? '';
  const password = env[QUEUE_PASSWORD_VARIABLE] ?? '';
  const home = own === '' ? undefined : readFrom(`reading ${QUEUE_VARIABLE}`, own, password);
  if (queue === true) {
    if (home) return home;
    throw flagError(
      `an address behind --queue, or in ${QUEUE_VARIABLE}`,
      'neither',
      `Write --queue redis://HOST, for example, or set ${QUEUE_VARIABLE}.`,
    );
  }
  if (!queue.includes('://')) {
    throw flagError(
      'an address such as redis://HOST or postgres://HOST/DATABASE',
      'text that is none',
      `Correct it. To use the address of ${QUEUE_VARIABLE}, put --queue at the end, or before another flag.`,
    );
  }
  if (holdsPassword(queue)) {
    throw flagError(
      'an address without a password: other users of this machine can read command lines',
      'one with a password',
      `Set ${QUEUE_PASSWORD_VARIABLE} to the password, or ${QUEUE_VARIABLE} to the whole address and write --queue alone.`,
    );
  }
  const typed = readFrom(OPERATION, queue, home ? '' : password);
  return home?.password !== undefined && isSameServer(home, typed) ? { ...typed, password: home.password } : typed;
}

function readFrom(operation: string, address: string, password: string): QueueAddress {
  try {
    return readQueueAddress(address, password === '' ? undefined : password);
  } catch (thrown) {
    if (!(thrown instanceof EspalierError)) throw thrown;
    throw new EspalierError({ ...thrown.data, operation }, { cause: thrown });
  }
}

/** Encryption is a part of it: a password that was meant for an encrypted connection does not go over another. */
function isSameServer(one: QueueAddress, other: QueueAddress): boolean {
  return one.kind === other.kind && one.host === other.host && one.port === other.port && one.tls === other.tls;
}

function flagError(expected: string, actual: string, remedy: string): EspalierError {
  return new EspalierError({ code: 'queue/address', operation: OPERATION, expected, actual, remedy });
}
