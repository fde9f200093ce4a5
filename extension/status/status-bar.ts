import * as vscode from 'vscode';
import { displayLanguage } from '../text/display-language.js';
import { readableFolders, rootOf, unreadableFolders } from '../places/places.js';
import type { Sidecar } from '../sidecar/sidecar.js';
import { statusText, type Situation, type StatusText } from './status-text.js';
import { statusTooltip, tooltipCommands } from './status-tooltip.js';

const backgrounds: Readonly<Record<StatusText['severity'], vscode.ThemeColor | undefined>> = {
  none: undefined,
  warning: new vscode.ThemeColor('statusBarItem.warningBackground'),
  error: new vscode.ThemeColor('statusBarItem.errorBackground'),
};

/** Shows in the status bar what the sidecar is at; a click opens the chat, or the log when it is stopped. */
export function registerStatusBar(context: vscode.ExtensionContext, sidecar: Sidecar): void {
  const item = vscode.window.createStatusBarItem('locret.status', vscode.StatusBarAlignment.Right, 100);
  item.name = 'Locret';
  let shownDashboard = '';
  const show = (): void => {
    const situation = currentSituation(sidecar);
    const { text, label, severity } = statusText(situation, displayLanguage);
    item.text = text;
    item.accessibilityInformation = { label };
    item.backgroundColor = backgrounds[severity];
    item.command = situation.life.state === 'stopped' ? 'locret.showLog' : 'locret.chat.focus';
    const markdown = statusTooltip(situation, Date.now(), displayLanguage);
    if (markdown !== shownDashboard) item.tooltip = dashboard(markdown);
    shownDashboard = markdown;
  };
  show();
  item.show();
  context.subscriptions.push(
    item,
    sidecar.onDidChangeLife(show),
    sidecar.onDidChangeStatus(show),
    vscode.window.onDidChangeActiveTextEditor(show),
    vscode.workspace.onDidChangeWorkspaceFolders(show),
    vscode.workspace.onDidGrantWorkspaceTrust(show),
  );
}

function currentSituation(sidecar: Sidecar): Situation {
  const { activeTextEditor } = vscode.window;
  return {
    life: sidecar.life,
    status: sidecar.status,
    hasFolder: readableFolders().length > 0,
    unreadableFolders: unreadableFolders().map(({ name }) => name),
    activeRoot: activeTextEditor === undefined ? undefined : rootOf(activeTextEditor.document.uri),
    isTrusted: vscode.workspace.isTrusted,
  };
}

function dashboard(markdown: string): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString(markdown, true);
  tooltip.isTrusted = { enabledCommands: tooltipCommands };
  return tooltip;
}
