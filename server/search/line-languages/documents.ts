import { line } from './pattern.js';

/* How lines define headings and labels in documents. */

export const markdown = [
  line('heading', `#{1,6}[ \\t]+(.{1,200}?)[ \\t#]*$`),
  line('heading', `<h[1-6][^>]*>[ \\t]*([^<]{2,120})`, { flags: 'i' }),
];

export const restructured = [
  line('label', `\\.\\.[ \\t]+_([^:]{1,100}):`),
  line(
    'entry',
    `\\.\\.[ \\t]+(?:\\w+:)?(?:auto)?(?:class|function|method|attribute|data|exception|module|macro|type|member|decorator|property|envvar|option|confval)::[ \\t]+(?:[\\w.]+\\.)?([\\w-]+)`,
  ),
];

export const asciidoc = [
  line('heading', `={1,6}[ \\t]+(.{1,200}?)[ \\t=]*$`),
  line('label', `\\[\\[([^\\]]{1,100})\\]\\]`),
];

export const org = [line('heading', `\\*{1,8}[ \\t]+(?:TODO |DONE )?(.{1,200})$`)];

export const tex = [
  line(
    'heading',
    `\\\\(?:part|chapter|section|subsection|subsubsection|paragraph)\\*?(?:\\[[^\\]]*\\])?\\{([^}]{1,200})`,
  ),
  line(
    'function',
    `\\\\(?:newcommand|renewcommand|providecommand|newenvironment|DeclareMathOperator)\\*?\\{?\\\\?(\\w+)`,
  ),
  line('label', `.{0,200}?\\\\label\\{([^}]{1,100})`),
];
