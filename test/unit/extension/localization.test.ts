import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import german from '../../../l10n/bundle.l10n.de.json' with { type: 'json' };

const extension = fileURLToPath(new URL('../../../extension', import.meta.url));
const translations: Readonly<Record<string, string>> = german;

/** The texts that are given to `l10n.t` in a source file. */
function textsIn(file: string): readonly string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /(^|\.)l10n\.t$/.test(node.expression.getText())) {
      const [text] = node.arguments;
      if (text !== undefined && ts.isStringLiteralLike(text)) texts.push(text.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return texts;
}

function placeholders(text: string): readonly string[] {
  return [...new Set(text.match(/\{\d+\}/g))].sort();
}

const files = readdirSync(extension, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const texts = new Set(files.flatMap((file) => textsIn(path.join(extension, file))));

describe('the German texts', () => {
  it('are there for each text of the extension', () => {
    expect(texts.size).toBeGreaterThan(100);
    expect([...texts].filter((text) => !(text in translations))).toEqual([]);
  });

  it('are there for nothing else', () => {
    expect(Object.keys(translations).filter((text) => !texts.has(text))).toEqual([]);
  });

  it('have the same places for numbers and names', () => {
    for (const [text, translation] of Object.entries(translations)) {
      expect(placeholders(translation), text).toEqual(placeholders(text));
    }
  });
});
