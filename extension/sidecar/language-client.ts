import * as vscode from 'vscode';
import {
  CloseAction,
  ErrorAction,
  IPCMessageReader,
  IPCMessageWriter,
  LanguageClient,
  RevealOutputChannelOn,
  TextDocumentContentRequest,
  type InitializeParams,
} from 'vscode-languageclient/node';
import type { InitializationOptions } from '../../server/protocol.js';
import type { SidecarProcess } from './process.js';
import { matters } from './watched-files.js';

export interface ClientOptions {
  readonly process: SidecarProcess;
  readonly log: vscode.LogOutputChannel;
  readonly initializationOptions: InitializationOptions;
}

/**
 * The language client of one process. It shows no messages of its own, for the extension tells the user once what happened,
 * and it never starts a process anew: that is the lifecycle's decision.
 */
export class SidecarClient extends LanguageClient {
  constructor({ process, log, initializationOptions }: ClientOptions) {
    const transports = {
      reader: new IPCMessageReader(process.channel),
      writer: new IPCMessageWriter(process.channel),
    };
    super('locret', 'Locret', () => Promise.resolve(transports), {
      documentSelector: [{ scheme: 'file' }, { language: 'locret-conversation' }],
      initializationOptions,
      outputChannel: log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      textSynchronization: { delayOpenNotifications: true },
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
      },
      initializationFailedHandler: () => false,
      middleware: {
        workspace: {
          didChangeWatchedFile: async (event, next) => {
            if (matters(vscode.Uri.parse(event.uri).path)) await next(event);
          },
          workspaceFolders: async (token, next) => {
            const folders = await next(token);
            return Array.isArray(folders) ? folders.filter(isOnDisk) : folders;
          },
          didChangeWorkspaceFolders: (event, next) =>
            next({
              added: event.added.filter(({ uri }) => uri.scheme === 'file'),
              removed: event.removed.filter(({ uri }) => uri.scheme === 'file'),
            }),
        },
      },
    });
  }

  /** Has a document that the sidecar writes written anew, if it is open. */
  refresh(document: vscode.Uri): void {
    const providers = this.getFeature(TextDocumentContentRequest.method)?.getProviders() ?? [];
    for (const { scheme, onDidChangeEmitter } of providers) {
      if (scheme === document.scheme) onDidChangeEmitter.fire(document);
    }
  }

  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  /** The sidecar sends such messages only when `locret.logLevel` asks for them: the channel's own level must not hide them. */
  override debug(message: string, data?: unknown): void {
    super.info(message, data, false);
  }

  protected override fillInitializeParams(params: InitializeParams): void {
    super.fillInitializeParams(params);
    params.workspaceFolders = params.workspaceFolders?.filter(isOnDisk) ?? null;
  }
}

function isOnDisk(folder: { readonly uri: string }): boolean {
  return folder.uri.startsWith('file:');
}
