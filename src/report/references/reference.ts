/** What a work is cited by: facts, as its publisher or arXiv has them. */
export interface Reference {
  readonly kind: 'inproceedings' | 'article' | 'misc';
  /** `Last, First`, in the order of the title page; `others` at the end of long lists. */
  readonly authors: readonly string[];
  readonly title: string;
  /** Proceedings or journal; where it appeared nowhere else, arXiv alone says. */
  readonly venue?: string;
  readonly volume?: string;
  readonly pages?: string;
  readonly year: number;
  readonly arXiv?: string;
  readonly doi?: string;
  readonly url?: string;
}
