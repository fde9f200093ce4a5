import { allRoots, type MemoryView, type RootView, type Target } from '../messages.js';
import { lifeText, noFolderText, rootText, type CardAction, type CardText } from './card-text.js';
import { button, element, icon } from './elements.js';
import { send } from './extension-link.js';
import { l10n } from './localization.js';
import { ReadingProgressBar } from './reading-progress.js';
import { visibleLine } from './visible-text.js';

export interface CardContext {
  readonly memory: MemoryView;
  readonly target: Target;
  /** True when there is no conversation to read. */
  readonly isEmpty: boolean;
  /** Roots whose reading is shown where a question waits for it. */
  readonly shownElsewhere: ReadonlySet<string>;
}

interface Row {
  readonly text: CardText;
  /** Undefined for the sidecar. */
  readonly root?: RootView['root'];
  /** Shown beside the title: the root's name where there are several, the model where there is room. */
  readonly aside: string;
}

/**
 * The state of the sidecar and of the memories, with what can be done about it. It shows itself when there is something
 * to be said: always beside an empty conversation, else only when a memory is not ready or has become stale.
 */
export class MemoryCard {
  readonly element = element('section', { class: 'memory', 'aria-label': l10n.t('Memory'), hidden: true });
  private readonly bars = new Map<string, ReadingProgressBar>();
  private drawn = '';

  update(context: CardContext): void {
    const rows = rowsOf(context);
    this.element.hidden = rows.length === 0;
    for (const { root, state, progress } of context.memory.roots) {
      this.bar(root.uri).update(progress, state === 'paused');
    }
    // Progress comes ten times a second: buttons that stay the same keep the focus.
    const drawing = JSON.stringify(rows);
    if (drawing === this.drawn) return;
    this.drawn = drawing;
    this.element.replaceChildren(...rows.map((row) => this.row(row)));
  }

  private bar(root: string): ReadingProgressBar {
    const bar = this.bars.get(root) ?? new ReadingProgressBar();
    this.bars.set(root, bar);
    return bar;
  }

  private row({ text, root, aside }: Row): HTMLElement {
    const symbol = icon(text.icon, text.icon === 'loading');
    const head = element(
      'div',
      { class: 'memory-head' },
      symbol,
      element('span', { class: 'memory-title' }, text.title),
      ...(aside === '' ? [] : [element('span', { class: 'memory-aside', title: aside }, aside)]),
    );
    return element(
      'div',
      { class: `memory-row tone-${text.tone}` },
      head,
      ...text.lines.map((line) => element('p', { class: 'memory-line', dir: 'auto' }, visibleLine(line))),
      ...(text.hasProgress === true && root !== undefined ? [this.bar(root.uri).element] : []),
      ...(text.actions.length === 0
        ? []
        : [element('div', { class: 'buttons' }, ...text.actions.map((action) => actionButton(action, root?.uri)))]),
    );
  }
}

function actionButton(action: CardAction, root: string | undefined): HTMLButtonElement {
  const { label, title, isSecondary, command, memory } = action;
  return button({
    label,
    ...(title === undefined ? {} : { title }),
    ...(isSecondary === true ? { class: 'secondary' } : {}),
    onClick: () => {
      if (command !== undefined) send({ type: 'command', command });
      else if (memory !== undefined && root !== undefined) send({ type: 'memory', action: memory, root });
    },
  });
}

function rowsOf({ memory, target, isEmpty, shownElsewhere }: CardContext): Row[] {
  // Without a folder the sidecar is not started before it is needed.
  const hasNoUse = memory.life.state === 'starting' && memory.roots.length === 0;
  const life = hasNoUse ? undefined : lifeText(memory.life);
  if (life !== undefined) return [{ text: life, aside: '' }];
  if (memory.roots.length === 0) return isEmpty ? [{ text: noFolderText(), aside: '' }] : [];
  const roots = memory.roots.filter(({ root }) => target === allRoots || root.uri === target);
  return roots
    .filter((view) => !shownElsewhere.has(view.root.uri) && (isEmpty || hasSomethingToSay(view)))
    .map((view) => ({
      text: rootText(view),
      root: view.root,
      aside: [
        ...(memory.roots.length > 1 ? [visibleLine(view.root.name)] : []),
        ...(isEmpty ? [modelText(memory)] : []),
      ].join(' · '),
    }));
}

/** Beside a conversation, a saved memory that is loaded when it is needed is nothing to speak of. */
function hasSomethingToSay({ state, memory, snapshot }: RootView): boolean {
  if (state === 'ready') return (memory?.changed ?? 0) > 0;
  return state !== 'idle' || !snapshot;
}

function modelText({ model, engine }: MemoryView): string {
  const name = visibleLine(model.split(/[\\/]/).at(-1) ?? model);
  return engine === undefined ? name : `${name} · ${engine.precision} · ${engine.backend}`;
}
