import {
  DidChangeWatchedFilesNotification,
  LogMessageNotification,
  MessageType,
  ShowMessageNotification,
  TextDocuments,
  TextDocumentSyncKind,
  type Connection,
  type InitializeParams,
  type InitializeResult,
} from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { isJsonObject } from '../contract/json.js';
import packageFile from '../../package.json' with { type: 'json' };
import { isLocretError, messageOf } from '../errors.js';
import type { LocretNotifications } from '../contract/protocol.js';
import { logLevels, type LogLevel } from '../contract/words.js';
import { DocumentOutlines } from '../service/document-outlines.js';
import { reportOf, reportScheme } from '../service/reports/reports.js';
import { serviceOf } from '../service/service.js';
import { filePathOf } from '../workspace/file-uri.js';
import { Workspace } from '../workspace/workspace.js';
import { codeActionKinds, offerCodeActions } from './code-actions.js';
import { connect, type Transport } from './connection.js';
import { PacedSender } from './paced-sender.js';
import { answering } from './response-errors.js';
import { serveService } from './service-requests.js';

const messageTypes: Readonly<Record<LogLevel, MessageType>> = {
  error: MessageType.Error,
  warning: MessageType.Warning,
  info: MessageType.Info,
  debug: MessageType.Debug,
};

/** The settings in what a client sent, under their section or by themselves. */
function settingsIn(value: unknown): unknown {
  return isJsonObject(value) && 'locret' in value ? value['locret'] : value;
}

/** The language server: one workspace, behind one connection. */
class LanguageServer {
  private readonly connection: Connection;
  private readonly workspace: Workspace;
  private readonly documents = new TextDocuments(TextDocument);
  private readonly outlines = new DocumentOutlines((uri) => this.documents.get(uri));
  private readonly statusSender: PacedSender;
  private readonly trainingSender: PacedSender;
  private client: { readonly watchesFiles: boolean; readonly changesFolders: boolean } = {
    watchesFiles: false,
    changesFolders: false,
  };

  constructor(transport: Transport, onEnd: (exitCode: number) => void) {
    this.connection = connect(transport, onEnd);
    this.statusSender = new PacedSender(() => {
      this.notify('locret/status', this.workspace.status);
    });
    this.trainingSender = new PacedSender(() => {
      const { status } = this.workspace.training;
      // The status tells that it has ended.
      if (status !== undefined) this.notify('locret/training', status);
    });
    this.workspace = new Workspace({
      onChange: () => {
        this.statusSender.changed();
      },
      onTraining: () => {
        this.trainingSender.changed();
      },
      log: (text) => {
        this.log('info', text);
      },
    });
  }

  listen(): void {
    const { connection, workspace, documents, outlines } = this;
    connection.onInitialize((params) => this.initialize(params));
    connection.onInitialized(() => {
      this.initialized();
    });
    connection.onDidChangeConfiguration(({ settings }) => {
      this.configure(settingsIn(settings));
    });
    connection.onDidChangeWatchedFiles(({ changes }) => {
      for (const { uri } of changes) this.touch(uri);
    });
    connection.onDidSaveTextDocument(({ textDocument }) => {
      this.touch(textDocument.uri);
    });
    connection.onShutdown(() => this.close());
    documents.listen(connection);
    documents.onDidClose(({ document }) => {
      outlines.close(document.uri);
    });
    serveService(connection, serviceOf(workspace, outlines));
    connection.workspace.textDocumentContent.on(
      answering(async ({ uri }) => ({ text: await reportOf(workspace, uri) })),
    );
    offerCodeActions(connection, outlines);
    connection.listen();
  }

  /** Ends what runs, keeping what was read and trained, and frees the model. */
  async close(): Promise<void> {
    this.statusSender.stop();
    this.trainingSender.stop();
    await this.workspace.close();
  }

  private initialize(params: InitializeParams): InitializeResult {
    const options: unknown = params.initializationOptions;
    const { workspace } = params.capabilities;
    this.client = {
      watchesFiles: workspace?.didChangeWatchedFiles?.dynamicRegistration === true,
      changesFolders: workspace?.workspaceFolders === true,
    };
    this.configure(isJsonObject(options) ? options['settings'] : undefined);
    this.workspace.addFolders(params.workspaceFolders ?? []);
    return {
      serverInfo: { name: 'locret', version: packageFile.version },
      capabilities: {
        textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
        codeActionProvider: { codeActionKinds: [...codeActionKinds] },
        workspace: {
          workspaceFolders: { supported: true, changeNotifications: true },
          textDocumentContent: { schemes: [reportScheme] },
        },
      },
    };
  }

  private initialized(): void {
    if (this.client.changesFolders) {
      this.connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
        this.workspace.addFolders(added);
        this.workspace.removeFolders(removed).catch((error: unknown) => {
          this.log('error', messageOf(error));
        });
      });
    }
    if (this.client.watchesFiles) {
      const watchers = [{ globPattern: '**/*' }];
      this.connection.client.register(DidChangeWatchedFilesNotification.type, { watchers }).then(
        () => {
          this.workspace.watch();
        },
        (error: unknown) => {
          this.log('warning', `Files are not watched: ${messageOf(error)}`);
        },
      );
    }
    this.statusSender.changed();
  }

  /** Settings that cannot be used leave those before as they are, and the user is told. */
  private configure(settings: unknown): void {
    this.workspace.configure(settings).catch((error: unknown) => {
      const remedy = isLocretError(error) ? ` ${error.remedy}` : '';
      const message = `${messageOf(error)}${remedy}`;
      // A plain notification: the library's own method asks the client for a choice.
      void this.connection.sendNotification(ShowMessageNotification.type, { type: MessageType.Error, message });
    });
  }

  private touch(uri: string): void {
    const file = filePathOf(uri);
    if (file !== undefined) this.workspace.touch(file);
  }

  private notify<Method extends keyof LocretNotifications>(method: Method, params: LocretNotifications[Method]): void {
    void this.connection.sendNotification(method, params);
  }

  private log(level: LogLevel, text: string): void {
    if (logLevels.indexOf(level) > logLevels.indexOf(this.workspace.chosen.logLevel)) return;
    void this.connection.sendNotification(LogMessageNotification.type, { type: messageTypes[level], message: text });
  }
}

/**
 * Serves an editor over a transport until it is gone. Then what was read is saved and the model's memory freed.
 * @returns the code to exit with
 */
export async function serveLanguage(transport: Transport): Promise<number> {
  // Nothing else may keep the process alive while it saves what was read.
  const keepAlive = setInterval(() => undefined, 60_000);
  const ended = new Promise<number>((resolve) => {
    const server = new LanguageServer(transport, (exitCode) => {
      server.close().then(
        () => {
          resolve(exitCode);
        },
        (error: unknown) => {
          // The connection may be gone: this is the only place left to say it.
          process.stderr.write(`The sidecar did not end as it should: ${messageOf(error)}\n`);
          resolve(exitCode === 0 ? 1 : exitCode);
        },
      );
    });
    server.listen();
  });
  const exitCode = await ended;
  clearInterval(keepAlive);
  return exitCode;
}
