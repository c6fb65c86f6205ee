import type { OutlineChange, OutlineDeclaration, OutlineParams, OutlineRange } from './messages.ts';

/** What has become of an outline: a keystroke changes one declaration and moves those behind it, and a file may have thousands. */
export function outlineChange(before: OutlineParams | undefined, after: OutlineParams): OutlineChange {
  const { uri, version, declarations } = after;
  const old = before?.declarations ?? [];
  const most = Math.min(old.length, declarations.length);
  let head = 0;
  while (head < most && isMoved(old[head]!, declarations[head]!, 0)) head++;
  const lines = (declarations.at(-1)?.range.end.line ?? 0) - (old.at(-1)?.range.end.line ?? 0);
  let tail = 0;
  while (tail < most - head && isMoved(old.at(-1 - tail)!, declarations.at(-1 - tail)!, lines)) tail++;
  return { uri, version, head, declarations: declarations.slice(head, declarations.length - tail), tail, lines };
}

/** The outline after a change of the one that was told before. */
export function changedOutline(before: OutlineParams | undefined, change: OutlineChange): OutlineParams {
  const { uri, version, head, declarations, tail, lines } = change;
  const old = before?.declarations ?? [];
  const behind = old.slice(old.length - tail);
  const moved = lines === 0 ? behind : behind.map((declaration) => movedBy(declaration, lines));
  return { uri, version, declarations: [...old.slice(0, head), ...declarations, ...moved] };
}

function movedBy(declaration: OutlineDeclaration, lines: number): OutlineDeclaration {
  const moved = ({ start, end }: OutlineRange): OutlineRange => ({
    start: { line: start.line + lines, character: start.character },
    end: { line: end.line + lines, character: end.character },
  });
  return { ...declaration, range: moved(declaration.range), nameRange: moved(declaration.nameRange) };
}

/** Whether one is the other, so many lines further down. */
function isMoved(a: OutlineDeclaration, b: OutlineDeclaration, lines: number): boolean {
  return (
    COMPARED.every((property) => a[property] === b[property]) &&
    isRangeMoved(a.range, b.range, lines) &&
    isRangeMoved(a.nameRange, b.nameRange, lines)
  );
}

function isRangeMoved(a: OutlineRange, b: OutlineRange, lines: number): boolean {
  return (
    a.start.line + lines === b.start.line &&
    a.end.line + lines === b.end.line &&
    a.start.character === b.start.character &&
    a.end.character === b.end.character
  );
}

/** All that is said of a declaration besides its ranges. */
const COMPARED = Object.keys({
  kind: true,
  name: true,
  evaluable: true,
  runnable: true,
  method: true,
  asksLlm: true,
  planKey: true,
} satisfies Record<Exclude<keyof OutlineDeclaration, 'range' | 'nameRange'>, true>) as readonly Exclude<
  keyof OutlineDeclaration,
  'range' | 'nameRange'
>[];
