const STEPS = [
  [60, 'min', 60],
  [24, 'h', 60 * 60],
  [14, 'days', 24 * 60 * 60],
] as const;

/** `just now`, `4 min ago`, `3 h ago`, `2 days ago`, `2026-11-22`. Both in milliseconds since 1970. */
export function ago(at: number, now: number): string {
  const seconds = Math.max(0, now - at) / 1000;
  if (seconds < 60) return 'just now';
  for (const [limit, unit, length] of STEPS) {
    const count = Math.floor(seconds / length);
    if (count < limit) return `${count} ${count === 1 && unit === 'days' ? 'day' : unit} ago`;
  }
  return new Date(at).toISOString().slice(0, 10);
}
