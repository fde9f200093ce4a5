import * as vscode from 'vscode';
import type { Citation, RootUri } from '../../server/contract/protocol.js';
import { openPlace } from '../places/places.js';

/** Opens a place of an answer; not in the palette, for links in threads only. */
const openCommand = 'locret.inline.openPlace';
const coverageCommand = 'locret.showCoverage';

/** Registers what links in threads do. */
export function registerAnswerLinks(): vscode.Disposable {
  return vscode.commands.registerCommand(openCommand, async (...place: readonly unknown[]) => {
    const [root, path, line, endLine] = place;
    if (typeof root !== 'string' || typeof path !== 'string') return;
    if (typeof line !== 'number' || typeof endLine !== 'number') return;
    await openPlace(root, path, line, endLine);
  });
}

/** Where the links of an answer lead. */
export function linkTargets(root: RootUri): {
  readonly place: (citation: Citation) => string;
  readonly coverage: string;
} {
  return {
    place: ({ path, line, endLine }) => commandLink(openCommand, [root, path, line, endLine]),
    coverage: commandLink(coverageCommand, []),
  };
}

function commandLink(command: string, values: readonly unknown[]): string {
  const query = encodeURIComponent(JSON.stringify(values)).replace(/[()]/g, (sign) => (sign === '(' ? '%28' : '%29'));
  return `command:${command}?${query}`;
}

/** Markdown in which the links of {@link linkTargets} work and no other command does. */
export function answerBody(markdown: string): vscode.MarkdownString {
  const body = new vscode.MarkdownString(markdown);
  body.isTrusted = { enabledCommands: [openCommand, coverageCommand] };
  return body;
}
