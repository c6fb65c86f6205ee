export type Target = 'linux-x64' | 'linux-arm64' | 'darwin-arm64' | 'win32-x64' | 'win32-arm64';
export const TARGETS: Readonly<Record<Target, string>>;
export function findProblems(files: readonly string[], target: Target): string[];
export function listFiles(vsix: string): { name: string; size: number; compressed: number }[];
