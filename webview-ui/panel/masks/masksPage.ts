import { denseFitness } from '../../../src/search/lifecycle/objective.ts';
import type { MaskSearchPlan } from '../../../src/search/masks/plan.ts';
import { bestCheckpoint } from '../../../src/search/masks/state.ts';
import { h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { AxisChoice } from '../common/axisChoice.ts';
import type { Looking, Page, PageHost } from '../common/page.ts';
import type { PanelData } from '../common/panelData.ts';
import { SpeedCard } from '../common/speedCard.ts';
import type { SpeedSubject } from '../common/speedCard.ts';
import { StructureFinalists } from '../common/structureFinalists.ts';
import { CheckpointsCard } from './checkpointsCard.ts';
import { KeepCard } from './keepCard.ts';
import type { ComponentKind } from './keepCard.ts';
import { LossCard } from './lossCard.ts';
import { pictureIndex } from './pictures.ts';
import { RetainedCard } from './retainedCard.ts';

/** A search for masks. */
export function masksPage(host: PageHost, looking: Looking): Page<MaskSearchPlan> {
  const loss = new LossCard();
  const checkpoints = new CheckpointsCard(new AxisChoice(looking, host));
  const keep = new KeepCard((step) => {
    looking.selected = step;
    host.changed();
  });
  const retained = new RetainedCard();
  const finalists = new StructureFinalists(() => undefined);
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
  return {
    element: h(
      'main',
      {},
      h('div', { class: 'halves wide' }, loss.element, checkpoints.element),
      keep.element,
      h('div', { class: 'stack' }, keep.histogram, retained.element),
      h('div', { class: 'halves wide' }, finalists.element, speed.element),
    ),
    pictures: [
      { title: 'Loss of the masks drawn', canvas: loss.picture },
      { title: 'Fitness of the checkpoints', canvas: checkpoints.picture },
      ...keep.charts,
      { title: 'Kept of each block', canvas: retained.picture },
    ],
    render: (data: PanelData<MaskSearchPlan>, theme: Theme) => {
      const { search: masks, pictures, run, overlay } = data;
      if (!run) return;
      const { plan } = run;
      const baselines = plan.baselines.map(({ name }) => name);
      const planned = plan.search.steps;
      const dense = denseFitness(masks.opening);
      loss.render(masks, planned, theme);
      const compared = masks.finalists.filter(({ name }) => baselines.includes(name));
      checkpoints.render(masks, { dense, planned, compared, overlay }, theme);
      const kept = masks.finished && bestCheckpoint(masks)?.step;
      keep.render(pictures, KINDS_OF[plan.search.components], { at: looking.selected, kept }, theme);
      const picture = pictures[pictureIndex(pictures, looking.selected)];
      const { sparsity } = plan;
      retained.render(picture, sparsity.kind === 'unstructured' ? 1 - sparsity.share : undefined, theme);
      const best = bestCheckpoint(masks);
      finalists.render(
        masks,
        'the masks found',
        baselines,
        () => undefined,
        ({ name }) => (baselines.includes(name) ? undefined : best),
      );
      speed.render(subjectOf(data, baselines), masks.opening?.parameters, data.speed);
    },
  };
}

/** What may go in which search. */
const KINDS_OF: Readonly<Record<MaskSearchPlan['search']['components'], readonly ComponentKind[]>> = {
  'heads-channels': ['channels', 'groups'],
  'heads-channels-layers': ['channels', 'groups', 'blocks'],
  layers: ['blocks'],
};

/** What the masks come to. */
function subjectOf(
  { search: masks }: PanelData<MaskSearchPlan>,
  baselines: readonly string[],
): SpeedSubject | undefined {
  if (!masks.finished) return undefined;
  const own = masks.finalists.find(({ name }) => !baselines.includes(name));
  const { structure, predicted } = own?.result ?? {};
  const { parameters } = structure ?? {};
  return { name: { kind: 'mask' }, label: 'The masks found', parameters, predicted, isStructural: true };
}
