import type { AnswerPhase, RootAnswer } from '../../conversation/conversation.js';
import type { RootView } from '../messages.js';
import { button, element } from './elements.js';
import { send } from './extension-link.js';
import { l10n } from './localization.js';
import { ReadingProgressBar } from './reading-progress.js';

/** What an answer waits for, until its text comes; with the progress of the reading it waits for. */
export class RunningStatus {
  private readonly symbol = element('span', { 'aria-hidden': 'true' });
  private readonly label = element('span');
  private readonly progress = new ReadingProgressBar();
  private readonly pause: HTMLButtonElement;
  private readonly goOn: HTMLButtonElement;
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
    this.goOn = button({
      label: l10n.t('Continue'),
      onClick: () => {
        send({ type: 'memory', action: 'read', root });
      },
    });
    this.element = element(
      'div',
      { class: 'running', hidden: true },
      element('p', { class: 'running-line' }, this.symbol, this.label),
      this.progress.element,
      this.pause,
      this.goOn,
    );
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
    const { phase } = answer;
    const isOpening = phase === 'opening' || phase === 'waiting';
    const isReading = isOpening && (memory?.state === 'reading' || memory?.state === 'updating');
    this.symbol.className = phase === 'paused' ? 'codicon codicon-debug-pause' : 'codicon codicon-loading spinning';
    this.label.textContent = isReading
      ? l10n.t('Reading the repository first. Your question is next.')
      : phaseText(phase);
    const progress = isReading || phase === 'paused' ? memory?.progress : answer.progress;
    this.progress.element.hidden = progress === undefined || phase === 'answering';
    if (progress !== undefined) this.progress.update(progress, phase === 'paused');
    this.pause.hidden = !isReading;
    this.goOn.hidden = phase !== 'paused';
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
    case 'paused':
      return l10n.t('Reading is paused. Your question waits.');
    case 'reading':
      return l10n.t('Reading the repository again, with your question first.');
    case 'restarting':
      return l10n.t('The sidecar has ended and is being restarted. Your question is asked again.');
    case 'answering':
      return l10n.t('Answering…');
  }
}
