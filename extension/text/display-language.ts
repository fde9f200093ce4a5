import * as vscode from 'vscode';
import type { Localization } from './localization.js';

/** The language that VS Code is shown in. */
export const displayLanguage: Localization = {
  language: vscode.env.language,
  t: (message, ...args) => vscode.l10n.t(message, ...args),
};
