import { fitnessName } from '../common/fitnessWords.ts';
import { denseFitness, fitnessIn } from '../../../src/search/lifecycle/objective.ts';
import type { RateSearchPlan } from '../../../src/search/rates/plan.ts';
import type { RateCandidate } from '../../../src/search/rates/events.ts';
import { fitnessOf } from '../../../src/search/lifecycle/outcome.ts';
import { bestConfiguration } from '../../../src/search/rates/state.ts';
import type { RateState } from '../../../src/search/rates/state.ts';
import { fill, h } from '../../shared/dom.ts';
import { Changes } from '../../shared/changes.ts';
import type { Theme } from '../../shared/theme.ts';
import { BlockBars, blockBarsLegend } from '../common/blockBars.ts';
import type { BlockBarsView } from '../common/blockViews.ts';
import { difference, fitnessInShort } from '../common/words.ts';
import { lineageWords, outcomeWords } from './rateWords.ts';
import { referencesOf } from './references.ts';

/** All that were evaluated wrecked the model. */
export const NONE_FINITE = 'None yet: no configuration so far leaves a model whose loss is finite.';

export interface BestCardEvents {
  readonly onSelect: (id: number | undefined) => void;
  readonly onExport: (id: number) => void;
}

/** The best configuration, or the one that is selected: its rates as bars against uniform and OWL, and where it comes from. */
export class BestCard {
  readonly element: HTMLElement;
  private readonly events: BestCardEvents;
  private readonly head = h('div', { class: 'title' });
  private readonly facts = h('div', { class: 'facts' });
  private readonly bars = new BlockBars();
  private readonly room = h('div', { class: 'canvas short' }, this.bars.canvas);
  private readonly changes = new Changes();
  private theme: Theme | undefined;

  constructor(events: BestCardEvents) {
    this.events = events;
    this.element = h('section', { class: 'card', 'aria-label': 'Configuration' }, this.head, this.room, this.facts);
  }

  get picture(): HTMLCanvasElement {
    return this.bars.canvas;
  }

  render(rates: RateState, plan: RateSearchPlan, selected: number | undefined, theme: Theme): void {
    const best = bestConfiguration(rates);
    const chosen = rates.byId.get(selected ?? -1) ?? best;
    this.room.hidden = chosen === undefined;
    if (!chosen) {
      fill(this.head, h('h2', {}, 'Best rates'));
      fill(
        this.facts,
        h(
          'p',
          { class: 'muted' },
          rates.candidates.length === 0
            ? 'None yet: they appear once the first configurations are evaluated.'
            : NONE_FINITE,
        ),
      );
      return;
    }
    // Buttons keep the keyboard's focus as long as they stand for the same.
    const isOther = this.changes.any(chosen.id, best?.id, rates.baselines.length);
    if (!isOther && theme === this.theme) return;
    this.theme = theme;
    const view = {
      bars: { label: chosen.id === best?.id ? `best (#${chosen.id})` : `#${chosen.id}`, values: chosen.rates },
      references: referencesOf(rates, plan),
      meaning: 'pruned share',
    };
    this.bars.show(theme, view);
    if (isOther) this.tell(chosen, best, rates, view);
  }

  private tell(chosen: RateCandidate, best: RateCandidate | undefined, rates: RateState, view: BlockBarsView): void {
    const isBest = chosen.id === best?.id;
    const { onSelect, onExport } = this.events;
    const back = h('button', { type: 'button', class: 'link' }, `Show the best (#${best?.id ?? 0})`);
    back.addEventListener('click', () => {
      onSelect(undefined);
    });
    const save = h(
      'button',
      { type: 'button', title: 'Save the model pruned at these rates', 'data-action': 'export' },
      'Export…',
    );
    save.addEventListener('click', () => {
      onExport(chosen.id);
    });
    fill(
      this.head,
      h('h2', {}, isBest ? 'Best rates' : `Rates of #${chosen.id}`),
      ...(isBest ? [] : [back]),
      chosen.outcome.kind === 'invalid' ? undefined : save,
      this.bars.saveButton(isBest ? 'Best rates' : `Rates of #${chosen.id}`),
    );
    fill(
      this.facts,
      blockBarsLegend(view),
      h('p', {}, fitnessWords(chosen, rates)),
      h(
        'p',
        { class: 'muted' },
        `#${chosen.id} · generation ${chosen.generation} · ${lineageWords(chosen)}${chosen.repaired ? ', repaired' : ''} · ${outcomeWords(chosen)}`,
      ),
    );
  }
}

function fitnessWords(configuration: RateCandidate, { opening, baselines, byId }: RateState): string {
  const fitness = fitnessOf(configuration);
  if (fitness === undefined) return `No ${fitnessName(opening)}.`;
  const dense = denseFitness(opening);
  return [
    `${fitnessName(opening)} ${fitnessInShort(configuration, byId)}`,
    ...(dense === undefined ? [] : [difference(fitness, 'dense', dense)]),
    ...baselines.slice(0, 2).flatMap(({ name, ...measured }) => {
      const of = fitnessIn(measured);
      return of === undefined ? [] : [difference(fitness, name, of)];
    }),
  ]
    .join(' · ')
    .replaceAll(' %', '\u00a0%');
}
