/** Commands that a report may use: whatever else stands in one came out of somebody's text. */
const KNOWN = new Set(
  (
    'allowbreak arraybackslash author begin bibliography bibliographystyle bottomrule caption centering cite date documentclass dots end ' +
    'endfirsthead endhead ensuremath footnotesize frac i includegraphics input j label left linewidth maketitle max mathrm midrule ' +
    'par pm raggedright resizebox right scriptsize small smallskip sqrt textasciicircum textasciigrave textasciitilde textbackslash textbar ' +
    'textbf textemdash textendash textgreater textless texttt times title toprule underline usepackage Vert log exp tanh cdot surd ss ae AE oe o O aa ' +
    'AA l L S infty leq geq neq approx rightarrow leftarrow Sigma circ div alpha beta gamma delta varepsilon eta theta kappa lambda mu nu pi rho ' +
    'sigma tau varphi chi psi omega Delta Omega c v r H u'
  ).split(' '),
);

/** What is wrong with LaTeX, as far as its letters say: braces, environments, columns, commands that nobody meant. */
export function latexProblems(latex: string): readonly string[] {
  const problems: string[] = [];
  const text = latex.replaceAll(/(?<!\\)%.*$/gm, '');
  for (const [, name] of text.replaceAll('\\\\', '').matchAll(/\\([A-Za-z]+)/g))
    if (!KNOWN.has(name!)) problems.push(`\\${name!}`);
  const bare = text.replaceAll(/\\\\|\\[{}$&#%_]/g, '');
  let depth = 0;
  for (const sign of bare) {
    depth += sign === '{' ? 1 : sign === '}' ? -1 : 0;
    if (depth < 0) break;
  }
  if (depth !== 0) problems.push('braces');
  if ((bare.match(/\$/g) ?? []).length % 2 !== 0) problems.push('dollars');
  if (bare.includes('#')) problems.push('a parameter');
  const open: string[] = [];
  for (const [, kind, name] of bare.matchAll(/\\(begin|end)\{([a-z]+)\}/g)) {
    if (kind === 'begin') open.push(name!);
    else if (open.pop() !== name) problems.push(`the end of ${name!}`);
  }
  problems.push(...open.map((name) => `no end of ${name}`));
  for (const [, body] of bare.matchAll(/\\toprule([^]*?)\\bottomrule/g)) {
    const rows = body!.split('\n').filter((line) => line.includes('&'));
    if (new Set(rows.map((line) => line.split('&').length)).size > 1) problems.push('columns');
  }
  return problems;
}
