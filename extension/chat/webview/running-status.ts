import type { AnswerPhase, RootAnswer } from '../../conversation/conversation.js';
import type { RootView } from '../messages.js';
import { button, element, icon } from './elements.js';
import { send } from './extension-link.js';
import { l10n } from './localization.js';
import { ReadingProgressBar } from './reading-progress.js';

/** What an answer waits for, until its text comes; with the progress of the reading it waits for. */
export class RunningStatus {
  private readonly label = element('span');
  private readonly progress = new ReadingProgressBar();
  private readonly pause: HTMLButtonElement;
  readonly element: HTMLElement;

  constructor(root: string) {
    this.pause = button({
      label: l10n.t('Pause'),
      icon: 'debug-pause',
      class: 'secondary',
      title: l10n.t('Pause reading; what was read is kept'),
      onClick: () => {
        send({ type: 'memory', action: 'pause', root });
      },
    });
    const line = element('p', { class: 'running-line' }, icon('loading', true), this.label);
    this.element = element('div', { class: 'running', hidden: true }, line, this.progress.element, this.pause);
  }

  /** Hides it: the answer's text has come. */
  hide(): void {
    this.element.hidden = true;
  }

  /** @param memory the memory of the answer's root, if its folder is open */
  update(answer: RootAnswer, memory: RootView | undefined): void {
    const isShown = answer.state === 'running' && answer.text === '';
    this.element.hidden = !isShown;
    if (!isShown) return;
    const isOpening = answer.phase === 'opening' || answer.phase === 'waiting';
    const isReading = isOpening && (memory?.state === 'reading' || memory?.state === 'updating');
    const progress = isReading ? memory.progress : answer.progress;
    this.label.textContent = isReading
      ? l10n.t('Reading the repository first. Your question is next.')
      : phaseText(answer.phase);
    this.progress.element.hidden = progress === undefined || answer.phase === 'answering';
    if (progress !== undefined) this.progress.update(progress);
    this.pause.hidden = !isReading;
  }
}

function phaseText(phase: AnswerPhase): string {
  switch (phase) {
    case 'queued':
      return l10n.t('Waits for the answer before it.');
    case 'waiting':
      return l10n.t('Waits for the model: it is at work on something else.');
    case 'opening':
      return l10n.t('Opening the memory…');
    case 'reading':
      return l10n.t('Reading the repository again, with your question first.');
    case 'restarting':
      return l10n.t('The sidecar has ended and is being restarted. Your question is asked again.');
    case 'answering':
      return l10n.t('Answering…');
  }
}
