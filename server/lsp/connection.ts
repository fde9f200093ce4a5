import { createConnection, type InitializeParams, type ProposedFeatures, type WatchDog } from 'vscode-languageserver';
import {
  createProtocolConnection,
  IPCMessageReader,
  IPCMessageWriter,
  StreamMessageReader,
  StreamMessageWriter,
  type Logger,
  type MessageReader,
  type MessageWriter,
} from 'vscode-languageserver/node';
import { isProcessAlive } from '../process-alive.js';

/** How messages get in and out: standard streams, or Node's channel to a parent process. */
export interface Transport {
  readonly reader: MessageReader;
  readonly writer: MessageWriter;
  /** Calls a listener when the other end is gone. */
  readonly onClose: (listener: () => void) => void;
}

/** Standard input and output. */
export function standardStreams(): Transport {
  const reader = new StreamMessageReader(process.stdin);
  const onClose = (listener: () => void): void => {
    reader.onClose(listener);
  };
  return { reader, writer: new StreamMessageWriter(process.stdout), onClose };
}

/** Node's channel to the process that forked this one. */
export function parentChannel(): Transport {
  const onClose = (listener: () => void): void => {
    // The reader hears of errors only.
    process.once('disconnect', listener);
  };
  return { reader: new IPCMessageReader(process), writer: new IPCMessageWriter(process), onClose };
}

const parentPollMilliseconds = 2_000;

/**
 * Watches the editor that started this process. The library's own watch ends the process at once when the editor is
 * gone; here what was read is saved first, and the model's memory is freed.
 */
class EditorWatch implements WatchDog {
  shutdownReceived = false;

  constructor(private readonly end: (exitCode: number) => void) {}

  initialize({ processId }: InitializeParams): void {
    if (processId === null) return;
    const timer = setInterval(() => {
      if (isProcessAlive(processId)) return;
      clearInterval(timer);
      this.end(1);
    }, parentPollMilliseconds);
    timer.unref();
  }

  exit(code: number): void {
    this.end(code);
  }
}

/**
 * A language-server connection whose end lets the process finish its work.
 * @param onEnd called once: the editor sent `exit`, closed the channel or died; with the code to exit with
 */
export function connect(transport: Transport, onEnd: (exitCode: number) => void): ProposedFeatures.Connection {
  const { reader, writer, onClose } = transport;
  let ended = false;
  const end = (code: number): void => {
    if (ended) return;
    ended = true;
    onEnd(code);
  };
  const watch = new EditorWatch(end);
  onClose(() => {
    end(watch.shutdownReceived ? 0 : 1);
  });
  return createConnection((logger: Logger) => createProtocolConnection(reader, writer, logger), watch);
}
