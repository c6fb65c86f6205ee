import type { Exchange } from '../../../src/view/panelMessages.ts';
import type { LlmCall } from '../../../src/search/llm/calls.ts';
import { formatSeconds } from '../../../src/experiment/format.ts';
import { fill, h, say } from '../../shared/dom.ts';
import { ROLES } from './llmWords.ts';
import { plural } from './words.ts';

/** Requests in the list; older ones are in the journal. */
const MOST = 200;

/** Every request to the language model; what it was asked and what it replied is fetched from the journal when somebody wants to read it. */
export class ExchangesCard {
  readonly element: HTMLElement;
  private readonly onAsk: (call: number) => void;
  private readonly list = h('div', { class: 'exchanges' });
  private readonly count = h('span', { class: 'muted' });
  private readonly items = new Map<number, { element: HTMLDetailsElement; room: HTMLElement; words: HTMLElement }>();
  private shown = -1;
  private told: Exchange | undefined;

  constructor(onAsk: (call: number) => void) {
    this.onAsk = onAsk;
    this.element = h(
      'section',
      { class: 'card wide', 'aria-label': 'Prompts and replies' },
      h('div', { class: 'title' }, h('h2', {}, 'Prompts and replies'), this.count),
      this.list,
    );
  }

  /** @param asking of a search, which grows in place */
  render(
    asking: { readonly revision: number; readonly calls: readonly LlmCall[] },
    exchange: Exchange | undefined,
  ): void {
    this.element.hidden = asking.calls.length === 0;
    if (asking.revision !== this.shown) {
      this.shown = asking.revision;
      fill(this.count, plural(asking.calls.length, 'request'));
      // What is open stays open: items are kept, new ones come on top.
      for (const call of asking.calls.slice(-MOST)) this.update(call);
    }
    if (exchange && exchange !== this.told) this.tell(exchange);
  }

  private update(call: LlmCall): void {
    const known = this.items.get(call.call);
    const generation = call.role === 'propose' ? call.generation + 1 : call.generation;
    const words = `${ROLES[call.role]}, generation ${generation} · ${replyWords(call)}`;
    if (known) {
      if (known.words.textContent === words) return;
      say(known.words, words);
      // What was fetched while there was no reply is not all there is now.
      fill(known.room);
      if (known.element.open) this.ask(call.call, known.room);
      return;
    }
    const room = h('div', { class: 'exchange' });
    const span = h('span', {}, words);
    const again = call.attempt === 0 ? '' : ` · asked again (${call.attempt})`;
    const element = h('details', {}, h('summary', {}, `#${call.call} `, span, again), room);
    element.addEventListener('toggle', () => {
      // Also again where it could not be read the last time.
      if (element.open && room.querySelector('pre') === null) this.ask(call.call, room);
    });
    this.items.set(call.call, { element, room, words: span });
    this.list.prepend(element);
    // The map is in the order of the requests.
    for (const [old, { element: oldest }] of this.items) {
      if (this.items.size <= MOST) break;
      oldest.remove();
      this.items.delete(old);
    }
  }

  private ask(call: number, room: HTMLElement): void {
    fill(room, h('p', { class: 'muted' }, 'Reading the journal …'));
    this.onAsk(call);
  }

  private tell(exchange: Exchange): void {
    this.told = exchange;
    const item = this.items.get(exchange.call);
    if (!item) return;
    const part = (title: string, text: string): HTMLElement =>
      h('div', {}, h('h3', {}, title), h('pre', { tabindex: 0 }, text));
    fill(
      item.room,
      part('Prompt', exchange.prompt),
      part(exchange.model === undefined ? 'Reply' : `Reply of ${exchange.model}`, exchange.reply),
    );
  }
}

function replyWords({ role, wanted, reply, seconds }: LlmCall): string {
  const asked = `${plural(wanted, role === 'propose' ? 'formula' : 'list')} asked for`;
  switch (reply?.kind) {
    case undefined:
      return `${asked}, waiting …`;
    case 'text': {
      const { promptTokens, replyTokens, estimated } = reply.usage;
      const tokens = `${promptTokens} + ${replyTokens} tokens${estimated ? ' (estimated)' : ''}`;
      return `${asked}, answered in ${formatSeconds(seconds ?? 0)}, ${tokens}`;
    }
    case 'failed':
      return `${asked}, failed: ${reply.error.actual}`;
    case 'lost':
      return `${asked}, lost: the process ended while it waited`;
  }
}
