import type { Localization } from '../text/localization.js';

/**
 * A language made of a table from English texts; what is missing in it is said in English. As `vscode.l10n.t`, for where
 * that is not at hand: in the page, and for a language that is not the editor's.
 */
export function localizationOf(language: string, texts: Readonly<Record<string, string>>): Localization {
  return {
    language,
    t: (message, ...args) => {
      const text = Object.hasOwn(texts, message) ? (texts[message] ?? message) : message;
      return text.replace(/\{(\d+)\}/g, (placeholder, index: string) => String(args[Number(index)] ?? placeholder));
    },
  };
}
