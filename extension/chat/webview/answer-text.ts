import { CodeBlock } from './code-block.js';
import { element } from './elements.js';
import { blocksOf, codeOf, renderBlock, type MarkdownLinks } from './markdown.js';
import { visibleText } from './visible-text.js';

interface ShownBlock {
  readonly key: string;
  readonly nodes: readonly ChildNode[];
  /** Set for a block of code: it is changed in place, so that its buttons keep the focus while it grows. */
  readonly code?: CodeBlock | undefined;
}

/** The text of an answer as it grows. Only blocks that have changed are built anew. */
export class AnswerText {
  readonly element = element('div', { class: 'answer-text' });
  private shown: ShownBlock[] = [];
  private links: MarkdownLinks | undefined;

  /** Shows a text; with other links than before everything is built anew. */
  update(text: string, links: MarkdownLinks): void {
    if (links !== this.links) {
      this.links = links;
      this.element.replaceChildren();
      this.shown = [];
    }
    const blocks = blocksOf(visibleText(text));
    const next = blocks.map((block, index): ShownBlock => {
      const before = this.shown[index];
      if (before?.key === block.key) return before;
      const code = codeOf(block);
      if (code !== undefined && before?.code?.language === code.language) {
        before.code.update(code.text);
        return { ...before, key: block.key };
      }
      const built = code === undefined ? undefined : new CodeBlock(code.language);
      built?.update(code?.text ?? '');
      const nodes = built === undefined ? [...renderBlock(block, links).childNodes] : [built.element];
      this.place(before, nodes);
      return { key: block.key, nodes, code: built };
    });
    for (const { nodes } of this.shown.slice(blocks.length)) for (const node of nodes) node.remove();
    this.shown = next;
  }

  /** Puts nodes where a block stood, or at the end. */
  private place(before: ShownBlock | undefined, nodes: readonly ChildNode[]): void {
    const [first, ...rest] = before?.nodes ?? [];
    if (first === undefined) {
      this.element.append(...nodes);
      return;
    }
    for (const node of rest) node.remove();
    first.replaceWith(...nodes);
  }
}
