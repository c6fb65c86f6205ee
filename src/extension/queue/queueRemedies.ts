import type { ErrorCode, ErrorData } from '../../base/errors.ts';

/** Where the editor has what the command line takes from its environment. */
const REMEDIES: Partial<Record<ErrorCode, string>> = {
  'queue/address':
    "Correct the setting espalier.queue. A password does not belong there: “Espalier: Set the Queue's Password…” keeps it.",
  'queue/refused':
    "Check user, database and certificate in the setting espalier.queue, and the password with “Espalier: Set the Queue's Password…”.",
  'queue/unreachable':
    'Start the server, correct the setting espalier.queue, or clear it to compute on this machine. A firewall may stand between.',
};

/** An error of a queue with what mends it here. */
export function withQueueRemedy(error: ErrorData): ErrorData {
  const remedy = REMEDIES[error.code];
  return remedy === undefined ? error : { ...error, remedy };
}
