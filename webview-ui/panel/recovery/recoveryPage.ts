import type { RecoveryPlan } from '../../../src/search/recovery/plan.ts';
import { h } from '../../shared/dom.ts';
import type { Theme } from '../../shared/theme.ts';
import { AxisChoice } from '../common/axisChoice.ts';
import type { Looking, Page, PageHost } from '../common/page.ts';
import type { PanelData } from '../common/panelData.ts';
import { HeldOutCard } from './heldOutCard.ts';
import { OutcomeCard } from './outcomeCard.ts';
import { TrainingCard } from './trainingCard.ts';
import { ValidationsCard } from './validationsCard.ts';

/** A recovery: is it getting better on text that it is not trained on, and by how much. */
export function recoveryPage(host: PageHost, looking: Looking): Page<RecoveryPlan> {
  const heldOut = new HeldOutCard(new AxisChoice(looking, host));
  const training = new TrainingCard();
  const outcome = new OutcomeCard((as) => {
    host.post({ kind: 'saveRecovery', as });
  });
  const validations = new ValidationsCard();
  return {
    element: h(
      'main',
      {},
      h('div', { class: 'halves wide' }, heldOut.element, training.element),
      h('div', { class: 'halves wide' }, outcome.element, validations.element),
    ),
    pictures: [
      { title: 'Perplexity on the held-out text', canvas: heldOut.picture },
      { title: 'Loss in training', canvas: training.picture },
    ],
    render: ({ search: state, run, overlay }: PanelData<RecoveryPlan>, theme: Theme) => {
      if (!run) return;
      const { recovery, adapter } = run.plan;
      heldOut.render(state, { planned: recovery.steps, overlay }, theme);
      training.render(state, recovery.steps, theme);
      outcome.render(state, adapter !== undefined);
      validations.render(state, recovery.patience);
    },
  };
}
