import type { Localization } from '../../../extension/text/localization.js';

/** Texts as they stand in the code, with their arguments put in. */
export const english: Localization = {
  language: 'en',
  t: (message, ...args) => message.replace(/\{(\d+)\}/g, (_, index: string) => String(args[Number(index)])),
};
