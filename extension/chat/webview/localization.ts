import type { Localization } from '../../text/localization.js';
import { localizationOf } from '../texts.js';

let current = localizationOf('en', {});

/** The user's language, as the extension told it. */
export const l10n: Localization = {
  get language() {
    return current.language;
  },
  t: (message, ...args) => current.t(message, ...args),
};

/** @param texts the user's language by English text */
export function useLanguage(language: string, texts: Readonly<Record<string, string>>): void {
  current = localizationOf(language, texts);
}
