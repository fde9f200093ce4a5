import type { AnswerMode } from '../../../server/contract/protocol.js';
import type { AnswerFacts } from '../../conversation/conversation.js';
import { element } from './elements.js';
import { l10n } from './localization.js';
import { amount, bytes, seconds } from './quantities.js';
import { visibleLine } from './visible-text.js';

function sourceText(source: AnswerFacts['memory']['source'], mode: AnswerMode): string {
  if (mode === 'deep') return l10n.t('read again, with the question first');
  switch (source) {
    case 'read':
      return l10n.t('read');
    case 'snapshot':
      return l10n.t('restored from its snapshot');
    case 'update':
      return l10n.t('updated with what had changed');
  }
}

/** What an answer took: model, memory, tokens, times. */
export function factList({ memory, timings }: AnswerFacts, mode: AnswerMode): HTMLElement {
  const rows: readonly (readonly [name: string, value: string])[] = [
    [l10n.t('Model'), `${visibleLine(memory.model)} · ${memory.precision}`],
    [l10n.t('Memory'), `${sourceText(memory.source, mode)} · ${seconds(memory.seconds)}`],
    [
      l10n.t('Remembered'),
      l10n.t(
        '{0} cache units per KV head, of {1} tokens, in {2}',
        amount(memory.units),
        amount(memory.tokensRead),
        bytes(memory.cacheBytes),
      ),
    ],
    [l10n.t('Policy'), memory.policy],
    [l10n.t('Prompt'), l10n.t('{0} tokens', amount(timings.promptTokens))],
    [
      l10n.t('Answer'),
      l10n.t('{0} tokens, {1} tokens/s', amount(timings.answerTokens), amount(timings.tokensPerSecond)),
    ],
    [l10n.t('Recall took'), seconds(timings.recallSeconds)],
    [l10n.t('First token after'), seconds(timings.firstTokenSeconds)],
    [l10n.t('In all'), seconds(timings.totalSeconds)],
  ];
  return element(
    'dl',
    { class: 'facts' },
    ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
  );
}
