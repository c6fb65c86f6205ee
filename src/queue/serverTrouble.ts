/**
 * What is the matter with a server that one did reach: it is gone, or does not answer yet; it takes nothing more for the moment (memory, disk,
 * connections, or another server became the one to write to); it has lost what our tables are. All of that is waited for.
 */
export type ServerTrouble = 'gone' | 'full' | 'forgotten';

/** Undefined for what has nothing to do with the state of the server. */
export function troubleOf(thrown: unknown): ServerTrouble | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code } = thrown as { readonly code?: unknown };
  for (const [trouble, { codes, words }] of TROUBLES) {
    if ((typeof code === 'string' && codes.test(code)) || words.test(thrown.message)) return trouble;
  }
  return undefined;
}

/**
 * Codes of Node's sockets and of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html). Redis has its codes in front of its
 * words (https://github.com/redis/redis/blob/7.0/src/server.c, `createSharedObjects`), and the libraries have none.
 */
const TROUBLES: readonly (readonly [ServerTrouble, { readonly codes: RegExp; readonly words: RegExp }])[] = [
  [
    'gone',
    {
      codes:
        /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ECONNABORTED|08...|57P..|57014)$/,
      words:
        /^(Connection (is closed|terminated|ended)|Client (has encountered a connection error|was closed)|timeout (e?xpired|exceeded)|(connect|Query read|Command) (ETIMEDOUT|time(d )?out)|Socket timeout|LOADING |MASTERDOWN |no answer within|Cannot use a pool after)|the database system is (starting up|shutting down|in recovery)/i,
    },
  ],
  [
    'full',
    {
      // 53: too little of something; 25006: a standby; 40: whoever tries again gets through.
      codes: /^(53...|25006|40001|40P01|55P03)$/,
      words: /^(OOM |MISCONF |READONLY |NOREPLICAS |BUSY |TRYAGAIN |CLUSTERDOWN |ERR max number of clients)/,
    },
  ],
  ['forgotten', { codes: /^(42P01|42883|3F000)$/, words: /^BullMQ: PostgreSQL schema .* is not initialized/ }],
];
