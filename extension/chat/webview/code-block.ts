import { send } from './extension-link.js';
import { button, element } from './elements.js';
import { editorLanguage, highlight } from './highlight.js';
import { l10n } from './localization.js';

/** A block of code with what can be done with it. It can grow while an answer is streamed. */
export class CodeBlock {
  readonly element: HTMLElement;
  private readonly code = element('code');
  private text = '';

  /** @param language as the model named it; empty where it named none */
  constructor(readonly language: string) {
    const bar = element(
      'div',
      { class: 'code-bar' },
      element('span', { class: 'code-language' }, language),
      button({
        label: l10n.t('Copy Code'),
        icon: 'copy',
        isIconOnly: true,
        onClick: () => {
          send({ type: 'copy', text: this.text });
        },
      }),
      button({
        label: l10n.t('Insert at Cursor'),
        icon: 'insert',
        isIconOnly: true,
        onClick: () => {
          send({ type: 'insert', text: this.text });
        },
      }),
      button({
        label: l10n.t('Open as New File'),
        icon: 'new-file',
        isIconOnly: true,
        onClick: () => {
          send({ type: 'newFile', text: this.text, language: editorLanguage(language) });
        },
      }),
    );
    const content = element('pre', { tabindex: '0', 'aria-label': l10n.t('Code') }, this.code);
    this.element = element('div', { class: 'code-block', dir: 'ltr' }, bar, content);
  }

  update(text: string): void {
    if (text === this.text) return;
    this.text = text;
    this.code.replaceChildren(highlight(text.replace(/\n$/, ''), this.language));
  }
}
