import type { DefinitionKind } from '../../contract/words.js';

/** What a line can define, in code and in every other text. */
export type LineKind =
  | DefinitionKind
  | 'heading'
  | 'key'
  | 'section'
  | 'target'
  | 'stage'
  | 'resource'
  | 'selector'
  | 'element'
  | 'table'
  | 'test'
  | 'label'
  | 'entry';

/** How a line defines a name: the pattern is tried where the line's text begins, and its first group is the name. */
export interface LinePattern {
  readonly kind: LineKind;
  readonly pattern: RegExp;
  /** `top`: only in lines that are not indented; `inner`: only in others; neither `inner` nor `member` inside of functions. */
  readonly where?: 'top' | 'member' | 'inner';
  /** It only names what its members belong to; it defines nothing itself (`impl`, `extension`). */
  readonly scope?: true;
  /** Words that look like a name there and are none. */
  readonly except?: RegExp;
}

/** Lines are read as Latin-1: bytes beyond ASCII are parts of letters. */
export const id = String.raw`[A-Za-z_$\x80-\xff][\w$\x80-\xff]*`;
export const dashed = String.raw`[A-Za-z_$@\x80-\xff][\w$\-\x80-\xff]*`;

export function line(
  kind: LineKind,
  source: string,
  rest: Omit<LinePattern, 'kind' | 'pattern'> & { flags?: string } = {},
): LinePattern {
  const { flags = '', ...others } = rest;
  return { kind, pattern: new RegExp(source, `y${flags}`), ...others };
}

/** Words that begin lines as names do and are none. */
export const notNames =
  /^(?:if|else|elif|for|foreach|while|switch|match|case|catch|return|throw|throws|new|do|try|with|await|yield|using|lock|sizeof|typeof|function|super|this|defined|assert|in|is|and|or|not|delete|void|elsif|unless|until|when|then|end|import|export|from|use|pub|let|const|var|val|struct|enum|class)$/;
