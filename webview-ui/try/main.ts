import './try.css';
import type { Asked, FromTry, ShownSubject, ToTry, TryMemory, TryState } from '../../src/view/tryMessages.ts';
import { connectHost } from '../shared/host.ts';
import { fill, h, say } from '../shared/dom.ts';
import { AskForm } from './askForm.ts';
import { ExchangeCard } from './exchangeCard.ts';
import { spokenAnswer } from './words.ts';

const host = connectHost<FromTry, ToTry, TryMemory>({ state: true, answer: true, piece: true });
const stop = (): void => {
  host.post({ kind: 'stop' });
};
const ask = (asked: Asked): void => {
  host.post({ kind: 'ask', asked });
};
const form = new AskForm(
  {
    onAsk: ask,
    onStop: stop,
    onChange: () => {
      host.remember(form.typed);
    },
  },
  host.remembered,
);
const who = h('p', { class: 'who' });
const choose = button('Another Result…', 'Ask another pruned model; it is asked the last prompt, too', () => {
  host.post({ kind: 'choose' });
});
const forget = button('Clear', 'Forget these prompts and answers', () => {
  host.post({ kind: 'forget' });
});
const empty = h('p', { class: 'empty' });
const list = h('div', { class: 'exchanges' });
const history = h('section', { 'aria-label': 'Prompts and answers' }, list);
/** For screen readers: what a token more says is no news, what an answer has come to is. */
const spoken = h('div', { class: 'spoken', role: 'status' });
const cards = new Map<number, ExchangeCard>();

document.body.append(
  h('header', {}, h('h1', {}, 'Try it'), who, h('span', { class: 'actions' }, choose, forget)),
  form.element,
  empty,
  history,
  spoken,
);
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') stop();
});
host.onMessage((message) => {
  switch (message.kind) {
    case 'state':
      show(message.state);
      break;
    case 'answer':
      cards.get(message.exchange)?.set(message.place, message.answer);
      announce(spokenAnswer(message.answer));
      break;
    case 'piece':
      cards.get(message.exchange)?.grow(message.place, message.piece);
      break;
  }
  performance.clearMarks('drawn');
  performance.mark('drawn');
});
host.post({ kind: 'ready' });
form.focus();

function show({ subject, exchanges, isBusy }: TryState): void {
  say(who, whoWords(subject));
  say(empty, emptyWords(subject));
  empty.hidden = exchanges.length > 0;
  forget.hidden = exchanges.length === 0;
  form.showBusy(isBusy);
  const shown = new Set(exchanges.map(({ id }) => id));
  for (const id of cards.keys()) if (!shown.has(id)) cards.delete(id);
  for (const exchange of exchanges) {
    const card = cards.get(exchange.id) ?? new ExchangeCard(exchange, { onReuse, onAgain: ask, onLog });
    cards.set(exchange.id, card);
    card.show(exchange);
  }
  // The newest stands below the form.
  const elements = exchanges.map(({ id }) => cards.get(id)!.element).reverse();
  if (elements.length !== list.children.length || elements.some((element, i) => element !== list.children[i]))
    fill(list, ...elements);
}

function onReuse(asked: Asked): void {
  form.fill(asked);
  scrollTo({ top: 0 });
}

function onLog(): void {
  host.post({ kind: 'showLog' });
}

function announce(text: string): void {
  if (text !== '') say(spoken, text);
}

function whoWords({ model, pruned }: ShownSubject): string {
  return pruned === null ? `${model}, dense` : `${model}: dense beside ${pruned}`;
}

function emptyWords({ pruned }: ShownSubject): string {
  const rest =
    pruned === null
      ? 'Its speed stands beside the answer.'
      : `Dense and ${pruned} go on from it, one after the other, so that their speeds can be compared. Before its first answer the pruned model is made again and written to a folder of its own, which takes about as long as its evaluation did.`;
  return `Write the beginning of a text. ${rest}`;
}

function button(text: string, title: string, onclick: () => void): HTMLButtonElement {
  return h('button', { type: 'button', title, onclick }, text);
}
