import { createRequire } from 'node:module';

interface Token {
  readonly type: string;
  readonly content: string;
  readonly children: readonly Token[] | null;
}

type MarkdownIt = new (options: { readonly html: boolean; readonly linkify: boolean }) => {
  parse(source: string, environment: object): readonly Token[];
};

// It comes without types.
const Renderer = createRequire(import.meta.url)('markdown-it') as MarkdownIt;

export interface Rendered {
  /** What a person reads, without its layout. */
  readonly text: string;
  /** Kinds of elements that are made: `image`, `link_open`, `html_inline`, `table_open`, … */
  readonly elements: ReadonlySet<string>;
}

/** Markdown as an editor shows that allows more than ours does: HTML, and addresses as links. */
export function renderMarkdown(source: string): Rendered {
  const elements = new Set<string>();
  let text = '';
  const walk = (tokens: readonly Token[]): void => {
    for (const { type, content, children } of tokens) {
      elements.add(type);
      if (type === 'softbreak' || type === 'hardbreak') text += '\n';
      if (children) walk(children);
      else text += content;
    }
  };
  walk(new Renderer({ html: true, linkify: true }).parse(source, {}));
  return { text, elements };
}

/** What nothing of somebody else's may become. */
export const ACTIVE: readonly string[] = ['image', 'link_open', 'html_inline', 'html_block', 'heading_open'];
