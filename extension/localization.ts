/**
 * Texts in the user's language: `vscode.l10n`, as far as files that know nothing of VS Code need it. The English text is
 * the key; `{0}`, `{1}` … stand for the arguments.
 */
export interface Localization {
  t(message: string, ...args: (string | number | boolean)[]): string;
}
