/** The user's language, as far as files that know nothing of VS Code need it. */
export interface Localization {
  /** As in `vscode.env.language`: for numbers. */
  readonly language: string;
  /** `vscode.l10n.t`: the English text is the key; `{0}`, `{1}` … stand for the arguments. */
  t(message: string, ...args: (string | number | boolean)[]): string;
}
