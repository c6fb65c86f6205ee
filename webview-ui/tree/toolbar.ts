import type { Direction, FormName, ShownMetric, StatisticsState } from '../../src/view/treeMessages.ts';
import type { Figure } from '../../src/figures/figureSchema.ts';
import { fill, h } from '../shared/dom.ts';
import { figureButton } from '../shared/figureButton.ts';
import { layerName } from './words.ts';

export interface ToolbarListeners {
  readonly onForm: (form: FormName) => void;
  readonly onDirection: (direction: Direction) => void;
  /** Steps larger or smaller, or `fit`. */
  readonly onZoom: (change: number | 'fit') => void;
  readonly onLayer: (tensor: string) => void;
  readonly onInspect: () => void;
  readonly onStop: () => void;
  /** What is saved for print. */
  readonly figureOf: () => Figure | undefined;
}

export interface ToolbarState {
  readonly metric: ShownMetric | undefined;
  readonly statistics: StatisticsState;
  readonly direction: Direction;
  readonly zoom: number | null;
}

/** What is shown, and how: title, form, direction, layer. Elements stay, so that the focus does. */
export class Toolbar {
  readonly element: HTMLElement;
  private readonly title = h('h1', { class: 'formula' });
  private readonly file = h('span', { class: 'muted' });
  private readonly forms: Choice<FormName>;
  private readonly directions: Choice<Direction>;
  private readonly fit: HTMLButtonElement;
  private readonly layer: HTMLSelectElement;
  private readonly layerLabel: HTMLElement;
  private readonly statistics: HTMLButtonElement;
  private readonly save: HTMLButtonElement;
  private tensors: readonly string[] = [];
  private isOn = false;

  constructor(listeners: ToolbarListeners) {
    this.forms = choice('Form', { written: 'As written', canonical: 'Canonical' }, listeners.onForm);
    this.directions = choice('Direction', { right: 'Left to right', down: 'Top down' }, listeners.onDirection);
    const zoom = (text: string, label: string, title: string, change: number | 'fit'): HTMLButtonElement =>
      h(
        'button',
        {
          title,
          'aria-label': label,
          onclick: () => {
            listeners.onZoom(change);
          },
        },
        text,
      );
    this.fit = zoom('Fit', 'Fit', 'All of the tree, as far as it can be read then (key 0)', 'fit');
    const zooms = h(
      'div',
      { class: 'choice', role: 'group', 'aria-label': 'Size' },
      zoom('−', 'Smaller', 'Smaller (key -, or Ctrl and the wheel)', -1),
      this.fit,
      zoom('+', 'Larger', 'Larger (key +, or Ctrl and the wheel)', 1),
    );
    this.layer = h('select', {
      'aria-label': 'Layer',
      onchange: () => {
        listeners.onLayer(this.layer.value);
      },
    });
    this.layerLabel = h('label', {}, h('span', { class: 'muted' }, 'Layer '), this.layer);
    this.statistics = h('button', {
      title: 'What each node computes on a layer: shape, least, greatest and mean value, histogram',
      onclick: () => {
        if (this.isOn) listeners.onStop();
        else listeners.onInspect();
      },
    });
    this.statistics.append('Statistics');
    this.save = figureButton('the tree', listeners.figureOf);
    this.element = h(
      'header',
      {},
      h('div', { class: 'title' }, this.title, this.file),
      h(
        'div',
        { class: 'tools' },
        this.forms.element,
        this.directions.element,
        zooms,
        this.statistics,
        this.layerLabel,
        this.save,
      ),
    );
  }

  /** What is shown, by its name. */
  get name(): string {
    return this.title.textContent;
  }

  show({ metric, statistics, direction, zoom }: ToolbarState): void {
    const { target, file, form, tree } = metric ?? {};
    this.title.textContent = target === undefined ? 'Tree' : target.kind === 'metric' ? target.name : target.title;
    this.file.textContent = file ?? '';
    this.forms.show(form ?? 'written', tree ? undefined : 'There is no tree yet');
    this.directions.show(direction);
    press(this.fit, zoom === null);
    this.isOn = statistics.kind === 'running' || statistics.kind === 'shown';
    press(this.statistics, this.isOn);
    this.statistics.disabled = !tree || (statistics.kind === 'off' && statistics.action !== 'inspect');
    this.save.disabled = !tree;
    this.showLayers(statistics);
  }

  private showLayers(statistics: StatisticsState): void {
    const inspected =
      statistics.kind === 'shown' ? statistics.inspected : statistics.kind === 'running' ? statistics.before : null;
    this.layerLabel.hidden = !inspected;
    if (!inspected) return;
    const { tensor, tensors } = inspected.inspection;
    if (tensors.join() !== this.tensors.join()) {
      this.tensors = tensors;
      const groups = new Map<string, HTMLOptGroupElement>();
      for (const each of tensors) {
        const { block, name } = layerName(each);
        const group = groups.get(block) ?? h('optgroup', { label: block });
        groups.set(block, group);
        group.append(h('option', { value: each, title: each }, `${name} · ${block.toLowerCase()}`));
      }
      fill(this.layer, ...groups.values());
      this.layer.value = tensor;
    }
    // While another layer is on its way the picker says that one.
    if (statistics.kind === 'shown') this.layer.value = tensor;
  }
}

interface Choice<Name extends string> {
  readonly element: HTMLElement;
  /** @param disabled why nothing can be chosen */
  show(chosen: Name, disabled?: string): void;
}

/** Buttons of which one is pressed. */
function choice<Name extends string>(
  label: string,
  names: Readonly<Record<Name, string>>,
  onChoose: (name: Name) => void,
): Choice<Name> {
  const buttons = new Map<Name, HTMLButtonElement>();
  for (const [name, text] of Object.entries(names) as [Name, string][]) {
    const button = h('button', {
      onclick: () => {
        onChoose(name);
      },
    });
    button.append(text);
    buttons.set(name, button);
  }
  return {
    element: h('div', { class: 'choice', role: 'group', 'aria-label': label }, ...buttons.values()),
    show(chosen, disabled) {
      for (const [name, button] of buttons) {
        press(button, name === chosen);
        button.disabled = disabled !== undefined;
      }
    },
  };
}

function press(button: HTMLButtonElement, isPressed: boolean): void {
  button.setAttribute('aria-pressed', String(isPressed));
}
