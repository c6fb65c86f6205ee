import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { readSystemFile } from './systemFile.ts';

/** Names one process among all that may look at the same disk: those of other machines and other containers, too. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** What the system says about when the process started; empty where it says nothing. */
  readonly started: string;
  /** Names the time since the machine was switched on; empty where it has no name. */
  readonly boot: string;
  /** In which a number of a process means that process and no other; empty where this cannot be told. */
  readonly space: string;
}

/** `unknown`: it cannot be asked from here. Whether something is heard of it then has to tell. */
export type Liveness = 'lives' | 'gone' | 'unknown';

export function thisProcess(): ProcessIdentity {
  const { pid } = process;
  return {
    pid,
    host: hostname(),
    started: startIn(readSystemFile('/proc/self/stat')),
    boot: bootName(),
    space: space(),
  };
}

export function livenessOf({ pid, host, started, boot, space }: ProcessIdentity): Liveness {
  const here = thisProcess();
  if (space === '' || space !== here.space || boot !== here.boot || host !== here.host) return 'unknown';
  if (!answers(pid)) return 'gone';
  const now = startIn(readSystemFile(`/proc/${pid}/stat`));
  // A process of another person may answer and be told nothing about (hidepid); and a number may be another's by now.
  if (started === '' || now === '') return 'unknown';
  return started === now ? 'lives' : 'gone';
}

function bootName(): string {
  return readSystemFile('/proc/sys/kernel/random/boot_id').trim();
}

/** Linux has PID namespaces: 7 in a container is not 7 outside. Where /proc is that of another one, nothing there can be believed. */
function space(): string {
  if (process.platform !== 'linux') return process.platform;
  try {
    return readlinkSync('/proc/self') === String(process.pid) ? readlinkSync('/proc/self/ns/pid') : '';
  } catch {
    return '';
  }
}

function answers(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Clock ticks since boot: with them a process's number names one process for ever. Only Linux says it cheaply. @param text of /proc/…/stat */
function startIn(text: string): string {
  // The name before it stands in parentheses and may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; only its parent does not know yet.
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '');
}
