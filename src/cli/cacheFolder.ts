import { homedir } from 'node:os';
import path from 'node:path';
import type { Environment } from './terminal.ts';

/** Where what is found out about large files is remembered between runs: each system's own place for such things. */
export function cacheFolder(environment: Environment, platform: NodeJS.Platform = process.platform): string {
  const own = environment['XDG_CACHE_HOME'];
  if (own !== undefined && path.isAbsolute(own)) return path.join(own, 'espalier');
  if (platform === 'win32') {
    return path.join(environment['LOCALAPPDATA'] ?? path.join(homedir(), 'AppData', 'Local'), 'Espalier', 'Cache');
  }
  return platform === 'darwin'
    ? path.join(homedir(), 'Library', 'Caches', 'espalier')
    : path.join(homedir(), '.cache', 'espalier');
}
