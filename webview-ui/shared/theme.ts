/** Colours of the editor's theme as a canvas needs them; style sheets use the variables themselves. */
export interface Theme {
  readonly foreground: string;
  /** For what is said beside the matter. */
  readonly muted: string;
  readonly background: string;
  readonly grid: string;
  readonly focus: string;
  readonly blue: string;
  readonly green: string;
  readonly yellow: string;
  readonly orange: string;
  readonly red: string;
  readonly purple: string;
  /** Families of the interface and of formulas. */
  readonly font: string;
  readonly codeFont: string;
  /** Pixels. */
  readonly fontSize: number;
  readonly isHighContrast: boolean;
}

/** Each colour with the variables that may hold it: high-contrast themes leave some of them out. */
const VARIABLES = {
  foreground: ['foreground', 'editor-foreground'],
  muted: ['descriptionForeground', 'foreground'],
  background: ['editor-background'],
  grid: ['charts-lines', 'editorRuler-foreground', 'widget-border', 'contrastBorder'],
  focus: ['focusBorder', 'contrastActiveBorder', 'foreground'],
  blue: ['charts-blue', 'editorInfo-foreground', 'foreground'],
  green: ['charts-green', 'foreground'],
  yellow: ['charts-yellow', 'editorWarning-foreground', 'foreground'],
  orange: ['charts-orange', 'foreground'],
  red: ['charts-red', 'errorForeground', 'foreground'],
  purple: ['charts-purple', 'foreground'],
} as const satisfies Partial<Record<keyof Theme, readonly string[]>>;

export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const variable = (name: string): string => style.getPropertyValue(`--vscode-${name}`).trim();
  const colours = Object.fromEntries(
    Object.entries(VARIABLES).map(([name, variables]) => [name, variables.map(variable).find((value) => value !== '')]),
  ) as Record<keyof typeof VARIABLES, string>;
  return {
    ...colours,
    font: variable('font-family') || 'sans-serif',
    codeFont: variable('editor-font-family') || 'monospace',
    fontSize: Number.parseFloat(variable('font-size')) || 13,
    isHighContrast: document.body.classList.contains('vscode-high-contrast'),
  };
}

/** Calls back, once a frame at most, whenever the editor's theme has changed. */
export function onThemeChange(callback: (theme: Theme) => void): void {
  let asked = false;
  const observer = new MutationObserver(() => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      callback(readTheme());
    });
  });
  // VS Code writes the variables into the root's style and the kind of theme into the body's classes.
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
}
