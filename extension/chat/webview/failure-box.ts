import type { RootAnswer } from '../../conversation/conversation.js';
import type { PageCommand } from '../messages.js';
import { button, element, icon } from './elements.js';
import { send } from './extension-link.js';
import { l10n } from './localization.js';
import { visibleText } from './visible-text.js';

type Failure = Pick<Extract<RootAnswer, { state: 'failed' }>, 'code' | 'message' | 'remedy'>;

/** Commands that may help, by the code of the failure. */
function commandsFor(code: string): readonly (readonly [command: PageCommand, label: string])[] {
  switch (code) {
    case 'sidecar-stopped':
      return [
        ['locret.restart', l10n.t('Restart')],
        ['locret.showLog', l10n.t('Show Log')],
      ];
    case 'out-of-memory':
    case 'window-too-small':
      return [
        ['locret.showPlan', l10n.t('Memory Plan')],
        ['locret.chooseModel', l10n.t('Choose Model')],
      ];
    case 'model-not-found':
    case 'model-unsupported':
    case 'model-corrupt':
    case 'heads-corrupt':
    case 'tokenizer-unsupported':
    case 'template-failed':
      return [['locret.chooseModel', l10n.t('Choose Model')]];
    case 'engine-failed':
    case 'unexpected':
      return [['locret.showLog', l10n.t('Show Log')]];
    default:
      return [];
  }
}

/** Buttons for the commands that may help against a failure. */
function remedyButtons(code: string): HTMLButtonElement[] {
  return commandsFor(code).map(([command, label]) =>
    button({
      label,
      class: 'secondary',
      onClick: () => {
        send({ type: 'command', command });
      },
    }),
  );
}

/** What kept a question from being answered, what helps, and a button to try again. */
export function failureBox({ code, message, remedy }: Failure, turn: string): HTMLElement {
  const again = button({
    label: l10n.t('Try Again'),
    onClick: () => {
      send({ type: 'retry', turn });
    },
  });
  return element(
    'div',
    // What was cancelled has not gone wrong.
    { class: code === 'cancelled' ? 'failure calm' : 'failure' },
    icon(code === 'cancelled' ? 'circle-slash' : 'error'),
    element(
      'div',
      { class: 'failure-text' },
      element('p', { dir: 'auto' }, visibleText(message)),
      ...(remedy === '' ? [] : [element('p', { class: 'remedy', dir: 'auto' }, visibleText(remedy))]),
      element('div', { class: 'buttons' }, again, ...remedyButtons(code)),
    ),
  );
}
