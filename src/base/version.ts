/** Espalier's version, as in package.json (a test compares them). */
export const VERSION = '0.1.0';

/** Whether one version, `1.2.3`, came after another. */
export function isNewer(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  const at = a!.findIndex((part, i) => part !== (b![i] ?? 0));
  return at >= 0 && a![at]! > (b![at] ?? 0);
}
