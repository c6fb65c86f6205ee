import os from 'node:os';
import { readSystemFile } from '../../files/systemFile.ts';

/**
 * Bytes that this process may still take: the least of what the machine has free, what a container is allowed, and the limits that the
 * shell has set (`ulimit -d`, `-v`), less what the process holds already.
 */
export function availableMemory(): number {
  const held = process.memoryUsage().rss;
  const allowed = [process.constrainedMemory(), ...shellLimits()].filter((bytes) => bytes > 0 && bytes < 2 ** 60);
  return Math.max(0, Math.min(freeMemory(), ...allowed.map((bytes) => bytes - held)));
}

/**
 * Most bytes that this process has held. What the system counts for `maxRSS` begins with what the parent held when it forked, so the
 * high-water mark of the address space itself is read where there is one.
 */
export function peakMemory(): number {
  const mark = /^VmHWM:\s+(\d+) kB/m.exec(readSystemFile('/proc/self/status'))?.[1];
  return (mark === undefined ? process.resourceUsage().maxRSS : Number(mark)) * 1024;
}

/** Free and reclaimable: on Linux page cache counts as available. */
function freeMemory(): number {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(readSystemFile('/proc/meminfo'))?.[1];
  return available === undefined ? os.freemem() : Number(available) * 1024;
}

function shellLimits(): number[] {
  const limits = readSystemFile('/proc/self/limits');
  return ['Max data size', 'Max address space']
    .map((name) => new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(limits)?.[1])
    .filter((limit) => limit !== undefined)
    .map(Number);
}
