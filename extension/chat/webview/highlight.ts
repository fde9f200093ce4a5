import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import csharp from 'highlight.js/lib/languages/csharp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import go from 'highlight.js/lib/languages/go';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import markdown from 'highlight.js/lib/languages/markdown';
import php from 'highlight.js/lib/languages/php';
import python from 'highlight.js/lib/languages/python';
import ruby from 'highlight.js/lib/languages/ruby';
import rust from 'highlight.js/lib/languages/rust';
import sql from 'highlight.js/lib/languages/sql';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';
import type { Emitter } from 'highlight.js';
import { element } from './elements.js';

/** Longer code is shown in one colour, UTF-16 units. */
const longest = 60_000;

/** Builds highlighted code as elements, so that nothing of it is ever read as HTML. */
class ElementEmitter implements Emitter {
  readonly root = document.createDocumentFragment();
  private readonly open: ParentNode[] = [this.root];

  private get innermost(): ParentNode {
    return this.open.at(-1) ?? this.root;
  }

  addText(text: string): void {
    this.innermost.append(text);
  }

  /** Beside `startScope` what the library calls, though its types do not say so. */
  openNode(scope: string): void {
    this.startScope(scope);
  }

  closeNode(): void {
    this.endScope();
  }

  startScope(scope: string): void {
    const classes = scope
      .split('.')
      .map((part, depth) => (depth === 0 ? `hljs-${part}` : `${part}${'_'.repeat(depth)}`));
    const span = element('span', { class: classes.join(' ') });
    this.innermost.append(span);
    this.open.push(span);
  }

  endScope(): void {
    if (this.open.length > 1) this.open.pop();
  }

  __addSublanguage(emitter: Emitter): void {
    if (emitter instanceof ElementEmitter) this.innermost.append(emitter.root);
  }

  finalize(): void {
    this.open.length = 1;
  }

  toHTML(): string {
    return '';
  }
}

const languages = {
  bash,
  c,
  cpp,
  csharp,
  css,
  diff,
  go,
  java,
  javascript,
  json,
  markdown,
  php,
  python,
  ruby,
  rust,
  sql,
  typescript,
  xml,
  yaml,
};
for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language);
hljs.configure({ __emitter: ElementEmitter });

/** Code in the theme's colours, where its language is known. */
export function highlight(code: string, language: string): Node {
  if (code.length > longest || hljs.getLanguage(language) === undefined) return document.createTextNode(code);
  const { _emitter } = hljs.highlight(code, { language, ignoreIllegals: true });
  return _emitter instanceof ElementEmitter ? _emitter.root : document.createTextNode(code);
}

/** The name VS Code has for a language of a code block; `plaintext` where none is given. */
export function editorLanguage(name: string): string {
  const short: Readonly<Record<string, string>> = {
    bash: 'shellscript',
    sh: 'shellscript',
    shell: 'shellscript',
    zsh: 'shellscript',
    js: 'javascript',
    jsx: 'javascriptreact',
    ts: 'typescript',
    tsx: 'typescriptreact',
    py: 'python',
    rb: 'ruby',
    rs: 'rust',
    'c++': 'cpp',
    cs: 'csharp',
    md: 'markdown',
    yml: 'yaml',
    html: 'html',
  };
  const lower = name.toLowerCase();
  return lower === '' ? 'plaintext' : Object.hasOwn(short, lower) ? (short[lower] ?? lower) : lower;
}
