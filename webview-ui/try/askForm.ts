import type { Asked, TryMemory } from '../../src/view/tryMessages.ts';
import { MAX_PROMPT, MAX_STOP, MAX_STOPS, MAX_TEMPERATURE, MAX_TOKENS } from '../../src/view/tryLimits.ts';
import { h } from '../shared/dom.ts';
import { parseStops, printStops } from './words.ts';

export interface AskFormListeners {
  readonly onAsk: (asked: Asked) => void;
  readonly onStop: () => void;
  /** Something was typed. */
  readonly onChange: () => void;
}

const BEGINNING: TryMemory = { prompt: '', most: '64', temperature: '0', seed: '0', stops: '' };

/** The prompt, and how it is answered. Elements stay, so that the focus does. */
export class AskForm {
  readonly element: HTMLFormElement;
  private readonly listeners: AskFormListeners;
  private readonly prompt = h('textarea', {
    ...{ id: 'prompt', rows: 4, maxlength: MAX_PROMPT, required: true, spellcheck: 'false' },
    placeholder: 'The beginning of a text, which the models go on from',
  });
  private readonly most = number('most', { min: 1, max: MAX_TOKENS, step: 1 });
  private readonly temperature = number('temperature', { min: 0, max: MAX_TEMPERATURE, step: 'any' });
  private readonly seed = number('seed', { min: 0, max: Number.MAX_SAFE_INTEGER, step: 1 });
  private readonly stops = h('textarea', {
    ...{ id: 'stops', rows: 1, spellcheck: 'false', placeholder: 'nothing', 'aria-describedby': 'stops-how' },
  });
  private readonly seedField = field('seed', 'Seed', this.seed);
  private readonly ask = h('button', { type: 'submit', class: 'primary' }, 'Generate');
  private readonly stop: HTMLButtonElement;

  constructor(listeners: AskFormListeners, remembered: TryMemory = BEGINNING) {
    this.listeners = listeners;
    this.stop = h('button', { type: 'button', onclick: listeners.onStop, title: 'Escape' }, 'Stop');
    this.element = h(
      'form',
      { class: 'ask', novalidate: true, 'aria-label': 'Prompt and settings' },
      h('label', { for: 'prompt' }, 'Prompt'),
      this.prompt,
      h(
        'div',
        { class: 'settings' },
        field('most', 'Tokens at most', this.most),
        field('temperature', 'Temperature', this.temperature),
        this.seedField,
        h(
          'span',
          { class: 'field stops' },
          h('label', { for: 'stops' }, 'Stop at'),
          this.stops,
          h('span', { class: 'spoken', id: 'stops-how' }, 'One text a line; backslash n is a line feed'),
        ),
        h('span', { class: 'steer' }, this.ask, this.stop, h('kbd', { class: 'muted' }, 'Ctrl+Enter')),
      ),
    );
    this.stops.title = 'Texts that end an answer, one a line; \\n is a line feed';
    this.temperature.title = '0: always the likeliest token. Larger ones draw more freely';
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
    });
    this.element.addEventListener('input', () => {
      this.adjust();
      listeners.onChange();
    });
    this.element.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.submit();
      }
    });
    this.write(remembered);
    this.showBusy(false);
  }

  /** What is typed, right or wrong. */
  get typed(): TryMemory {
    return {
      prompt: this.prompt.value,
      most: this.most.value,
      temperature: this.temperature.value,
      seed: this.seed.value,
      stops: this.stops.value,
    };
  }

  focus(): void {
    this.prompt.focus();
  }

  showBusy(isBusy: boolean): void {
    this.stop.disabled = !isBusy;
  }

  /** Writes what was asked once into the fields again. */
  fill({ prompt, most, temperature, seed, stops }: Asked): void {
    this.write({
      ...{ prompt, most: String(most), temperature: String(temperature), seed: String(seed) },
      stops: printStops(stops),
    });
    this.listeners.onChange();
    this.focus();
  }

  private write({ prompt, most, temperature, seed, stops }: TryMemory): void {
    this.prompt.value = prompt;
    this.most.value = most;
    this.temperature.value = temperature;
    this.seed.value = seed;
    this.stops.value = stops;
    this.adjust();
  }

  private submit(): void {
    const stops = parseStops(this.stops.value);
    const tooMany = stops.length > MAX_STOPS || stops.some((stop) => stop.length > MAX_STOP);
    this.stops.setCustomValidity(tooMany ? `At most ${MAX_STOPS} texts of ${MAX_STOP} characters` : '');
    // The browser says at the field what is wrong.
    if (!this.element.reportValidity()) return;
    this.listeners.onAsk({
      prompt: this.prompt.value,
      most: this.most.valueAsNumber,
      temperature: this.temperature.valueAsNumber,
      seed: this.seed.valueAsNumber,
      stops: [...stops],
    });
  }

  /** What plays no part is not there, and texts are as high as they are long. */
  private adjust(): void {
    this.stops.setCustomValidity('');
    this.seedField.hidden = !(this.temperature.valueAsNumber > 0);
    const lines = (text: string, least: number, most: number): number =>
      Math.min(most, Math.max(least, text.split('\n').length));
    this.prompt.rows = lines(this.prompt.value, 4, 16);
    this.stops.rows = lines(this.stops.value, 1, 4);
  }
}

function number(
  id: string,
  limits: { readonly min: number; readonly max: number; readonly step: number | 'any' },
): HTMLInputElement {
  return h('input', { id, type: 'number', required: true, ...limits });
}

function field(id: string, label: string, input: HTMLElement): HTMLElement {
  return h('span', { class: 'field' }, h('label', { for: id }, label), input);
}
