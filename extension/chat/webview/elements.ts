/** Attributes of an element; `true` sets an empty one, `false` and `undefined` none. Never styles or handlers. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

type Child = Node | string;

/** An element with attributes and children; texts become text nodes, never markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  setAttributes(created, attributes);
  created.append(...children);
  return created;
}

function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? '' : String(value));
  }
}

/** One of VS Code's icons, for the eye only. */
export function icon(name: string, isSpinning = false): HTMLElement {
  const classes = `codicon codicon-${name}${isSpinning ? ' spinning' : ''}`;
  return element('span', { class: classes, 'aria-hidden': 'true' });
}

export interface ButtonOptions {
  readonly label: string;
  readonly icon?: string;
  /** Only the icon is shown; the label is read and shown as a tooltip. */
  readonly isIconOnly?: boolean;
  readonly class?: string;
  readonly title?: string;
  readonly onClick: (event: MouseEvent) => void;
}

/** A button with a label, an icon or both. */
export function button(options: ButtonOptions): HTMLButtonElement {
  const { label, isIconOnly = false, onClick } = options;
  const created = element('button', {
    type: 'button',
    class: [isIconOnly ? 'icon-button' : 'button', options.class ?? ''].join(' ').trim(),
    title: options.title ?? (isIconOnly ? label : undefined),
    'aria-label': isIconOnly ? label : undefined,
  });
  if (options.icon !== undefined) created.append(icon(options.icon));
  if (!isIconOnly) created.append(element('span', { class: 'button-label' }, label));
  created.addEventListener('click', onClick);
  return created;
}

let lastId = 0;

/** An id that no other element of the page has. */
export function uniqueId(prefix: string): string {
  lastId += 1;
  return `${prefix}-${lastId}`;
}
