/** Seconds on the wall, or of processor, of all threads of this process: on a busy machine they say more. */
export function clockOf(processor: boolean): () => number {
  return processor ? processorSeconds : () => performance.now() / 1000;
}

/** Seconds of processor that this process has taken since it began. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export async function timed<Result>(
  now: () => number,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly seconds: number }> {
  const began = now();
  const result = await work();
  return { result, seconds: now() - began };
}
