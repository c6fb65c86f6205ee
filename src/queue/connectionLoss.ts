/** Whether a server is gone, or does not answer yet: that is waited for. */
export function isConnectionLoss(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code } = thrown as { readonly code?: unknown };
  if (typeof code === 'string' && (LOST.has(code) || /^(08|57P)/.test(code))) return true;
  return LOST_WORDS.test(thrown.message);
}

const LOST: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
  'ENETDOWN',
]);
/** The libraries have no codes for these. PostgreSQL's own have: 08 and 57P. */
const LOST_WORDS =
  /^(Connection (is closed|terminated|ended)|Client has encountered a connection error|timeout e?xpired|LOADING |connect ETIMEDOUT)|the database system is (starting up|shutting down)/i;
