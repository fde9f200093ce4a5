import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import english from '../../../package.nls.json' with { type: 'json' };
import german from '../../../package.nls.de.json' with { type: 'json' };

const root = fileURLToPath(new URL('../../..', import.meta.url));
const text = readFileSync(path.join(root, 'package.json'), 'utf8');
const commands = manifest.contributes.commands.map(({ command }) => command);

function matches(pattern: RegExp, source: string): readonly string[] {
  return [...source.matchAll(pattern)].map(([, match = '']) => match);
}

describe('the manifest', () => {
  it('has an English and a German text for each key, and no text that nothing uses', () => {
    const keys = [...new Set(matches(/"%([\w.-]+)%"/g, text))].sort();
    expect(Object.keys(english).sort()).toEqual(keys);
    expect(Object.keys(german).sort()).toEqual(keys);
  });

  it('links to no command that there is not, in either language', () => {
    for (const texts of [english, german]) {
      const linked = Object.values(texts).flatMap((value) => matches(/\(command:([\w.]+)/g, value));
      expect(linked.filter((command) => !commands.includes(command))).toEqual([]);
    }
  });

  it('puts the same links into both languages', () => {
    const links = (texts: Record<string, string>): unknown =>
      Object.entries(texts).map(([key, value]) => [key, matches(/\(command:([\w.]+)/g, value)]);
    expect(links(german)).toEqual(links(english));
  });

  it('names no file that there is not', () => {
    const files = matches(/"((?:extension|syntaxes)\/[^"]+|\.\/(?:syntaxes|l10n)[^"]*)"/g, text);
    expect(files.length).toBeGreaterThan(8);
    expect(files.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });

  it('keeps to fifteen settings, what is read and what is not counted as one', () => {
    const settings = manifest.contributes.configuration.flatMap(({ properties }) => Object.keys(properties));
    expect(settings.filter((name) => name !== 'locret.exclude').length).toBeLessThanOrEqual(15);
  });
});

describe('the walkthrough', () => {
  it('shows pictures that are there, each with words for those who do not see it', () => {
    for (const { media } of manifest.contributes.walkthroughs.flatMap(({ steps }) => steps)) {
      const page = readFileSync(path.join(root, media.markdown), 'utf8');
      const [, words = '', picture = ''] = /!\[([^\]]*)\]\(([^)]+)\)/.exec(page) ?? [];
      expect(words.length, media.markdown).toBeGreaterThan(20);
      expect(existsSync(path.join(root, path.dirname(media.markdown), picture)), picture).toBe(true);
    }
  });
});
