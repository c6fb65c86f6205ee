import type { Span } from '../syntax/syntax.ts';

/** Something to tell about a place in a file. Offsets count UTF-16 units from its start, `end` behind the last. */
export interface Diagnostic extends Span {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  readonly message: string;
  /** Other places that have to do with it. */
  readonly related?: readonly Related[];
  /** Ways to mend it, the likeliest first. */
  readonly fixes?: readonly Fix[];
}

export type Severity = 'error' | 'warning' | 'information' | 'hint';

export interface Related extends Span {
  readonly message: string;
}

export interface Fix {
  readonly title: string;
  readonly edits: readonly Edit[];
}

/** `text` comes in the place of the span. */
export interface Edit extends Span {
  readonly text: string;
}

/** Stable: tests, quick fixes and users' scripts rely on the codes. What each means stands in docs/language.md. */
export const DIAGNOSTIC_CODES = {
  'file/too-large': 'error',
  'file/too-many-problems': 'error',
  'syntax/expected': 'error',
  'syntax/character': 'error',
  'syntax/unclosed-string': 'error',
  'syntax/too-deep': 'error',
  'syntax/keyword': 'error',
  'name/unknown': 'error',
  'name/duplicate': 'error',
  'name/reserved': 'error',
  'name/wrong-kind': 'error',
  'name/cyclic': 'error',
  'name/unused': 'hint',
  'call/arity': 'error',
  'call/argument': 'error',
  'call/not-a-function': 'error',
  'call/div-is-norm': 'hint',
  'shape/broadcast': 'error',
  'shape/needs-tensor': 'error',
  'shape/needs-number': 'error',
  'number/range': 'error',
  'number/underflow': 'warning',
  'metric/not-a-value': 'error',
  'metric/not-finite': 'error',
  'metric/constant': 'error',
  'metric/too-large': 'error',
  'metric/root-keeps-ranking': 'hint',
  'metric/same-ranking': 'information',
  'metric/ranks-nothing': 'warning',
  'property/unknown': 'error',
  'property/duplicate': 'error',
  'property/misplaced': 'error',
  'property/type': 'error',
  'property/range': 'error',
  'sparsity/range': 'error',
  'update/unknown': 'error',
  'update/misplaced': 'error',
  'structure/method-first': 'information',
  'structure/rates': 'error',
  'structure/sparsity': 'error',
  'task/missing': 'error',
  'task/template': 'error',
  'task/documents': 'warning',
  'experiment/missing': 'error',
  'experiment/repeated': 'warning',
  'experiment/no-effect': 'warning',
  'experiment/too-many': 'error',
  'search/missing': 'error',
  'search/operand': 'error',
  'search/objective': 'error',
  'search/seen-test': 'warning',
  'search/baseline': 'warning',
  'search/no-effect': 'warning',
} as const satisfies Record<string, Severity>;

export type DiagnosticCode = keyof typeof DIAGNOSTIC_CODES;

/** More than these are not listed: nobody reads them, and a file of garbage would have a million. */
export const MAX_DIAGNOSTICS = 1000;

/** Collects what is found about a file. */
export class DiagnosticList {
  private readonly found: Diagnostic[] = [];
  private count = 0;

  /** How many there are, those beyond the limit included. */
  get total(): number {
    return this.count;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  get isFull(): boolean {
    return this.found.length >= MAX_DIAGNOSTICS;
  }

  /** Those that were added behind the first `count`. */
  since(count: number): readonly Diagnostic[] {
    return this.found.slice(count);
  }

  add(code: DiagnosticCode, span: Span, message: string, more: Pick<Diagnostic, 'related' | 'fixes'> = {}): void {
    this.tell({ code, severity: DIAGNOSTIC_CODES[code], start: span.start, end: span.end, message, ...more });
  }

  tell(diagnostic: Diagnostic): void {
    this.count++;
    if (!this.isFull) this.found.push(diagnostic);
  }

  /** In the order of the text. */
  sorted(): readonly Diagnostic[] {
    const sorted = [...this.found].sort((a, b) => a.start - b.start || a.end - b.end);
    const last = sorted.at(-1);
    if (!this.isFull || last === undefined) return sorted;
    const code = 'file/too-many-problems';
    const message = `there are more problems than these ${MAX_DIAGNOSTICS}: they are listed once some of them are mended`;
    return [...sorted, { code, severity: DIAGNOSTIC_CODES[code], start: last.start, end: last.end, message }];
  }
}

export function replaceFix(span: Span, text: string): Fix {
  return { title: `Replace with \`${text}\``, edits: [{ start: span.start, end: span.end, text }] };
}

/** ": did you mean `x`?" and the fix for it, where there is a nearest name. */
export function didYouMean(span: Span, near: string | undefined): { suffix: string; fixes?: readonly Fix[] } {
  return near === undefined
    ? { suffix: '' }
    : { suffix: `: did you mean \`${near}\`?`, fixes: [replaceFix(span, near)] };
}

export function shift(span: Span, by: number): Span {
  return { start: span.start + by, end: span.end + by };
}
