import { readdir } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { portablePath } from '../runs/portablePaths.ts';
import { agentTool } from './agentTool.ts';

/** Folders below the workspace that are looked into, entries that are looked at, and files that are named. */
const DEEPEST = 6;
const MOST_ENTRIES = 20_000;
const MOST_FILES = 500;
/** Of programs, and never a person's own. */
const LEFT_OUT = new Set(['node_modules']);

export const listFiles = agentTool({
  name: 'list_files',
  title: 'List .prune files',
  description: 'The .prune files of the workspace: each holds metrics, experiments and searches.',
  access: 'read',
  input: z.strictObject({}),
  asks: () => 'list the .prune files of the workspace',
  answer: async (_, { root }) => {
    const files: string[] = [];
    let folders = [root];
    let left = MOST_ENTRIES;
    for (let depth = 0; depth <= DEEPEST && folders.length > 0; depth++) {
      const next: string[] = [];
      for (const folder of folders) {
        // Links are not followed: they may lead out of the workspace, or round in it.
        const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
        left -= entries.length;
        if (left < 0) break;
        for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
          const file = path.join(folder, entry.name);
          if (entry.isDirectory() && !entry.name.startsWith('.') && !LEFT_OUT.has(entry.name)) next.push(file);
          else if (entry.isFile() && entry.name.endsWith('.prune')) files.push(portablePath(root, file));
        }
      }
      folders = next;
    }
    const isWhole = files.length <= MOST_FILES && left >= 0 && folders.length === 0;
    return { files: files.slice(0, MOST_FILES), ...(!isWhole && { more: true }) };
  },
});
