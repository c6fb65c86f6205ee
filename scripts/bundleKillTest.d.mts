export function bundleKillTest(
  root: string,
  folder: string,
): Promise<Readonly<Record<'folder' | 'bundle' | 'driver' | 'cli' | 'worker' | 'prompts', string>>>;
