import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/**
 * Ends this process's workers when it is gone, however it went. A worker sees to that itself (worker/parentWatch.ts), but not while it is
 * stopped (SIGSTOP, a debugger): so a shell waits for the end of a pipe that ends with this process, and then kills the groups
 * that it was told of. On Windows nothing is stopped.
 */
export interface Reaper {
  /** @param leader number of the process that leads a group */
  watch(leader: number): void;
  /** It has ended: its number may be another's soon. */
  forget(leader: number): void;
}

let one: Reaper | undefined;

/** The one of this process, begun when it is first asked for. */
export function reaper(): Reaper {
  one ??= process.platform === 'win32' ? { watch: ignore, forget: ignore } : startReaper();
  return one;
}

const SCRIPT = `
trap '' HUP INT QUIT TERM
all=
while read -r what leader; do
  rest=
  for each in $all; do [ "$each" = "$leader" ] || rest="$rest $each"; done
  all=$rest
  [ "$what" = watch ] && all="$all $leader"
done
for each in $all; do kill -s KILL -- "-$each"; done
`;

function startReaper(): Reaper {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'espalier-reaper'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // In a session of its own: what ends this process by its group, or by its terminal, leaves it alone.
    detached: true,
    cwd: '/',
    env: {},
  });
  const pipe: Writable & { unref?: () => void } = shell.stdin;
  // A machine without a shell has none; the workers still watch for themselves.
  shell.on('error', ignore);
  pipe.on('error', ignore);
  // Nobody waits for it.
  shell.unref();
  pipe.unref?.();
  return {
    watch: (leader) => pipe.write(`watch ${leader}\n`),
    forget: (leader) => pipe.write(`forget ${leader}\n`),
  };
}

function ignore(): void {
  // Nothing to do.
}
