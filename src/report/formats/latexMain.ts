import { latexText } from './latexText.ts';

/** A file that compiles by itself, with every table and figure: pdflatex main, bibtex main, pdflatex main, pdflatex main. */
export function latexMain({
  title,
  tables,
  figures,
  cites,
}: {
  readonly title: string;
  /** Ids of the tables. */
  readonly tables: readonly string[];
  readonly figures: readonly { readonly id: string; readonly caption: string }[];
  readonly cites: boolean;
}): string {
  return [
    '% Every table and figure of this report. Take them into a paper with \\input{tables/…} and \\includegraphics{figures/…};',
    '% they need the packages below.',
    '\\documentclass[11pt]{article}',
    '\\usepackage[a4paper,margin=25mm]{geometry}',
    '\\usepackage{amsmath}',
    '\\usepackage{array}',
    '\\usepackage{booktabs}',
    '\\usepackage{longtable}',
    '\\usepackage{graphicx}',
    `\\title{${latexText(title)}}`,
    '\\author{}',
    '\\date{}',
    '\\begin{document}',
    '\\maketitle',
    ...tables.map((id) => `\\input{tables/${id}}`),
    ...figures.flatMap(({ id, caption }) => [
      '\\begin{figure}[htbp]',
      '\\centering',
      `\\includegraphics{figures/${id}.pdf}`,
      `\\caption{${latexText(caption)}}`,
      `\\label{fig:${id}}`,
      '\\end{figure}',
    ]),
    ...(cites ? ['\\bibliographystyle{plain}', '\\bibliography{references}'] : []),
    '\\end{document}',
    '',
  ].join('\n');
}
