import { removesComponents } from '../../../src/search/rates/configuration.ts';
import type { RateSearchPlan } from '../../../src/search/rates/plan.ts';
import { isSelfPruner } from '../../../src/search/rates/selfPruner/plan.ts';
import { bestConfiguration } from '../../../src/search/rates/state.ts';
import { h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { AxisChoice } from '../common/axisChoice.ts';
import { ExchangesCard } from '../common/exchangesCard.ts';
import type { Looking, Page, PageHost } from '../common/page.ts';
import type { PanelData } from '../common/panelData.ts';
import { SpeedCard } from '../common/speedCard.ts';
import type { SpeedSubject } from '../common/speedCard.ts';
import { measuredFinalist } from '../../../src/search/lifecycle/measuredFinalist.ts';
import { StructureFinalists } from '../common/structureFinalists.ts';
import { BestCard } from './bestCard.ts';
import { ConfigurationTable } from './configurationTable.ts';
import { FitnessCard } from './fitnessCard.ts';
import { LlmCard } from './llmCard.ts';
import { RateHeatCard } from './rateHeatCard.ts';

/** A search for layer-wise rates. */
export function ratesPage(host: PageHost, looking: Looking): Page<RateSearchPlan> {
  const select = (id: number | undefined): void => {
    looking.selected = id;
    host.changed();
  };
  const exportModel = (id: number): void => {
    host.post({ kind: 'exportModel', of: { kind: 'candidate', id } });
  };
  const fitness = new FitnessCard(new AxisChoice(looking, host));
  const heat = new RateHeatCard();
  const best = new BestCard({ onSelect: select, onExport: exportModel });
  const llm = new LlmCard();
  const finalists = new StructureFinalists(select);
  const speed = new SpeedCard({
    onMeasure: (of) => {
      host.post({ kind: 'speed', of });
    },
    onCancel: () => {
      host.post({ kind: 'cancelSpeed' });
    },
    onExport: (of) => {
      host.post({ kind: 'exportModel', of });
    },
  });
  const table = new ConfigurationTable(select);
  const exchanges = new ExchangesCard((call) => {
    host.post({ kind: 'exchange', call });
  });
  const charts = h('div', { class: 'stack two' }, fitness.element, heat.element);
  const found = h('div', { class: 'halves wide' }, finalists.element, speed.element);
  /** Beside the heat map stands what the language model contributed; without that the map has the whole width. */
  const showLlm = (isAsked: boolean): void => {
    if (llm.element.hidden !== isAsked) return;
    llm.element.hidden = !isAsked;
    heat.element.classList.toggle('wide', !isAsked);
    if (isAsked) charts.append(heat.element);
    else found.before(heat.element);
  };
  return {
    element: h(
      'main',
      {},
      charts,
      h('div', { class: 'stack' }, best.element, llm.element),
      found,
      table.element,
      exchanges.element,
    ),
    pictures: [
      { title: 'Best by generation', canvas: fitness.picture },
      { title: 'Rates of the best so far, % of each block, by generation', canvas: heat.picture },
      { title: 'Rates against uniform (dashed) and OWL (triangles)', canvas: best.picture },
    ],
    render: (data: PanelData<RateSearchPlan>, theme: Theme) => {
      const { search: rates, run, overlay } = data;
      if (!run) return;
      const { plan } = run;
      const { selected } = looking;
      const baselines = plan.baselines.map(({ name }) => name);
      fitness.render(rates, plan, overlay, theme);
      heat.render(rates, theme);
      best.render(rates, plan, selected, theme);
      showLlm(isSelfPruner(plan));
      if (isSelfPruner(plan)) llm.render(rates, plan);
      finalists.render(
        rates,
        `the best ${plan.search.finalists}`,
        baselines,
        ({ id }) => rates.byId.get(id ?? -1)?.rates,
        (finalist) => measuredFinalist(finalist, rates),
      );
      speed.render(subjectOf(data, selected), rates.opening?.parameters, data.speed);
      table.render(rates, selected, isSelfPruner(plan));
      exchanges.render(rates, data.exchange);
    },
  };
}

/** The selected configuration, or the best. */
function subjectOf(
  { search: rates, run }: PanelData<RateSearchPlan>,
  selected: number | undefined,
): SpeedSubject | undefined {
  const configuration = rates.byId.get(selected ?? -1) ?? bestConfiguration(rates);
  if (!configuration || configuration.outcome.kind === 'invalid') return undefined;
  const { id } = configuration;
  const finalist = rates.finalists.find((each) => each.id === id);
  return {
    name: { kind: 'candidate', id },
    label: `#${id}`,
    parameters: finalist?.result?.structure?.parameters,
    predicted: finalist?.result?.predicted,
    isStructural: run !== undefined && removesComponents(run.plan),
  };
}
