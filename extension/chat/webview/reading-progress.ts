import type { ReadingProgress } from '../../conversation/conversation.js';
import { percentText, progressText, shareRead } from '../../text/quantities.js';
import { element } from './elements.js';
import { l10n } from './localization.js';

/** How far a reading is: a bar, and files, share, speed and time left in words. It is kept and changed in place. */
export class ReadingProgressBar {
  private readonly bar = element('progress', { max: 1, 'aria-label': l10n.t('Reading') });
  private readonly text = element('span', { class: 'progress-text' });
  readonly element = element('div', { class: 'reading-progress' }, this.bar, this.text);

  /**
   * Without progress it is not known how far the reading is.
   * @param isPaused speed and time left are not told
   */
  update(progress: ReadingProgress | undefined, isPaused = false): void {
    if (progress === undefined) {
      this.bar.removeAttribute('value');
      this.text.textContent = '';
      return;
    }
    const share = shareRead(progress);
    this.bar.value = share;
    this.bar.setAttribute('aria-valuetext', percentText(share));
    const told = isPaused ? { ...progress, tokensPerSecond: 0, secondsLeft: undefined } : progress;
    this.text.textContent = progressText(told, l10n);
  }
}
