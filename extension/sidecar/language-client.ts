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
import type { InitializationOptions } from '../../server/contract/protocol.js';
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

  /**
   * Leaves out the client's own provider of the documents that the sidecar writes: the editor asks for those that stand in
   * its tabs before there is a process, so the extension provides them.
   */
  override registerFeature(feature: Parameters<LanguageClient['registerFeature']>[0]): void {
    const isProvided =
      'registrationType' in feature && feature.registrationType.method === TextDocumentContentRequest.method;
    if (!isProvided) super.registerFeature(feature);
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
