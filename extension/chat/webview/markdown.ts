import MarkdownIt, { type Token } from 'markdown-it';
import { CodeBlock } from './code-block.js';
import { element, type Attributes } from './elements.js';
import type { TextPiece } from './places.js';

/** How places and addresses in a text are shown. */
export interface MarkdownLinks {
  /** Splits text into checked places and everything else. */
  readonly findPlaces: (text: string) => readonly TextPiece[];
  readonly placeLink: (label: string, place: NonNullable<TextPiece['place']>) => HTMLElement;
}

/** A top-level block of a text. */
export interface MarkdownBlock {
  readonly tokens: readonly Token[];
  /** Blocks with equal keys look equal. */
  readonly key: string;
}

// HTML stays text. Without references a block never depends on what comes after it.
const parser = new MarkdownIt({ html: false, linkify: false, typographer: false }).disable(['reference']);

/** The top-level blocks of a text. */
export function blocksOf(text: string): MarkdownBlock[] {
  const lines = text.split('\n');
  const blocks: MarkdownBlock[] = [];
  let tokens: Token[] = [];
  for (const token of parser.parse(text, {})) {
    tokens.push(token);
    if (token.level !== 0 || token.nesting === 1) continue;
    const [first] = tokens;
    const [start, end] = first?.map ?? [0, 0];
    blocks.push({ tokens, key: `${first?.type ?? ''}\n${lines.slice(start, end).join('\n')}` });
    tokens = [];
  }
  return blocks;
}

/** The code of a block that is nothing but code; undefined for others. */
export function codeOf({ tokens }: MarkdownBlock): { readonly text: string; readonly language: string } | undefined {
  const [token] = tokens;
  if (token === undefined || (token.type !== 'fence' && token.type !== 'code_block')) return undefined;
  return { text: token.content, language: languageOf(token) };
}

function languageOf(token: Token): string {
  return /^[\w+#.-]{1,32}/.exec(token.info.trim())?.[0] ?? '';
}

/** Elements for the tokens of a block. */
export function renderBlock(block: MarkdownBlock, links: MarkdownLinks): DocumentFragment {
  const fragment = document.createDocumentFragment();
  renderTokens(block.tokens, fragment, links);
  return fragment;
}

const plainTags = {
  paragraph_open: 'p',
  bullet_list_open: 'ul',
  list_item_open: 'li',
  blockquote_open: 'blockquote',
  thead_open: 'thead',
  tbody_open: 'tbody',
  tr_open: 'tr',
  strong_open: 'strong',
  em_open: 'em',
  s_open: 's',
} as const;

function isPlain(type: string): type is keyof typeof plainTags {
  return Object.hasOwn(plainTags, type);
}

/** Headings of an answer stand below that of its question. */
const headingTags = ['h3', 'h4', 'h5', 'h6', 'h6', 'h6'] as const;

function renderTokens(tokens: readonly Token[], root: ParentNode, links: MarkdownLinks): void {
  const open: ParentNode[] = [root];
  for (const token of tokens) {
    const parent = open.at(-1) ?? root;
    if (token.nesting === 1) {
      const inner = openElement(token, parent);
      open.push(inner);
    } else if (token.nesting === -1) {
      const closed = open.pop();
      if (token.type === 'link_close' && closed instanceof HTMLElement) finishLink(closed, links);
    } else {
      renderLeaf(token, parent, links);
    }
  }
}

/** Appends the element that a token opens, and returns where its content goes. */
function openElement(token: Token, parent: ParentNode): ParentNode {
  if (token.hidden) return parent;
  const append = (tag: keyof HTMLElementTagNameMap, attributes: Attributes = {}): ParentNode => {
    const created = element(tag, attributes);
    parent.append(created);
    return created;
  };
  const { type } = token;
  if (isPlain(type)) return append(plainTags[type], type === 'paragraph_open' ? { dir: 'auto' } : {});
  switch (type) {
    case 'heading_open':
      return append(headingTags[Number(token.tag.slice(1)) - 1] ?? 'h6', { dir: 'auto' });
    case 'ordered_list_open':
      return append('ol', { start: token.attrGet('start') ?? undefined });
    case 'table_open': {
      const table = element('table');
      parent.append(element('div', { class: 'table-frame', tabindex: '0' }, table));
      return table;
    }
    case 'th_open':
    case 'td_open': {
      const alignment = /(left|center|right)/.exec(String(token.attrGet('style') ?? ''))?.[1];
      const tag = type === 'th_open' ? 'th' : 'td';
      return append(tag, alignment === undefined ? {} : { class: `align-${alignment}` });
    }
    case 'link_open':
      return append('span', { 'data-target': String(token.attrGet('href') ?? '') });
    default:
      return append('span');
  }
}

function renderLeaf(token: Token, parent: ParentNode, links: MarkdownLinks): void {
  switch (token.type) {
    case 'inline':
      renderTokens(token.children ?? [], parent, links);
      break;
    case 'text':
      parent.append(...withPlaces(token.content, links));
      break;
    case 'code_inline':
      parent.append(element('code', { dir: 'ltr' }, ...withPlaces(token.content, links)));
      break;
    case 'fence':
    case 'code_block': {
      const code = new CodeBlock(languageOf(token));
      code.update(token.content);
      parent.append(code.element);
      break;
    }
    case 'softbreak':
      parent.append('\n');
      break;
    case 'hardbreak':
      parent.append(element('br'));
      break;
    case 'hr':
      parent.append(element('hr'));
      break;
    case 'image':
      // Images are not loaded: loading one would tell its server what was asked.
      parent.append(element('span', { class: 'image' }, token.content));
      break;
    default:
      parent.append(token.content);
  }
}

function withPlaces(text: string, links: MarkdownLinks): (Node | string)[] {
  return links
    .findPlaces(text)
    .map((piece) => (piece.place === undefined ? piece.text : links.placeLink(piece.text, piece.place)));
}

function webAddress(target: string): URL | undefined {
  const address = URL.canParse(target) ? new URL(target) : undefined;
  return address?.protocol === 'https:' || address?.protocol === 'http:' ? address : undefined;
}

function decoded(target: string): string {
  try {
    return decodeURIComponent(target);
  } catch {
    return target;
  }
}

/**
 * Turns the content of a Markdown link into what it may be: a checked place; an address of the web, which is shown with
 * its host and which VS Code asks about before it opens it; or text, for everything else.
 */
function finishLink(content: HTMLElement, links: MarkdownLinks): void {
  const target = content.dataset['target'] ?? '';
  const label = content.textContent;
  const address = webAddress(target);
  if (address !== undefined) {
    const link = element('a', { href: address.href, title: address.href }, label);
    const isAddressShown = label.includes(address.host);
    content.replaceWith(link, ...(isAddressShown ? [] : [element('span', { class: 'host' }, ` (${address.host})`)]));
    return;
  }
  const [piece, ...others] = links.findPlaces(decoded(target));
  if (piece?.place !== undefined && others.length === 0) content.replaceWith(links.placeLink(label, piece.place));
  else delete content.dataset['target'];
}
