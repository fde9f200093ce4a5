import type * as vscode from 'vscode';
import type { Sidecar } from '../sidecar/sidecar.js';
import { registerChatProvider } from './chat-provider.js';
import { createParticipant } from './participant.js';
import { registerTool } from './tool.js';

/** Lets VS Code's own chat and its agents ask the memory: as a tool, as `@locret` and as a model. */
export function registerLanguageModel(context: vscode.ExtensionContext, sidecar: Sidecar): void {
  context.subscriptions.push(registerTool(sidecar), createParticipant(context, sidecar), registerChatProvider(sidecar));
}
