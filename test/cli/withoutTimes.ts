/** What `--json` prints of evaluations, without what it took: seconds, threads, and whether gradients were there before. */
export function withoutTimes(objects: readonly Record<string, unknown>[]): unknown {
  const told = JSON.stringify(objects, function (this: unknown, key, value: unknown) {
    const isTime =
      key === 'seconds' || key === 'deviceName' || (key === 'gradients' && /^(computed|cached)$/.test(String(value)));
    return isTime ? undefined : value;
  });
  return JSON.parse(told) as unknown;
}
