import { AbstractMessageReader } from 'vscode-jsonrpc';
import type { DataCallback, Disposable, Message, MessageReader, MessageWriter } from 'vscode-jsonrpc';

export interface Transport {
  readonly reader: MessageReader;
  readonly writer: MessageWriter;
  /** Puts anything on the wire, as a broken or hostile peer would. */
  readonly raw: (message: unknown) => void;
  /** Sees every message that arrives at this end, before the reader does. */
  readonly tap: (listener: (message: unknown) => void) => void;
  /** Ends the connection as the death of a process does. */
  readonly close: () => void;
}

/** Two ends of a connection in one process. Messages travel as JSON text, one turn of the event loop later. */
export function memoryTransport(): { client: Transport; server: Transport } {
  const toServer = new Pipe();
  const toClient = new Pipe();
  return { client: end(toClient, toServer), server: end(toServer, toClient) };
}

function end(incoming: Pipe, outgoing: Pipe): Transport {
  return {
    reader: incoming,
    writer: {
      onError: () => ({ dispose: () => undefined }),
      onClose: () => ({ dispose: () => undefined }),
      write: (message) => {
        if (outgoing.closed) return Promise.reject(new Error('write after close'));
        outgoing.put(message);
        return Promise.resolve();
      },
      end: () => undefined,
      dispose: () => undefined,
    },
    raw: (message) => {
      outgoing.put(message);
    },
    tap: (listener) => {
      incoming.listeners.push(listener);
    },
    close: () => {
      incoming.close();
      outgoing.close();
    },
  };
}

class Pipe extends AbstractMessageReader {
  closed = false;
  readonly listeners: ((message: unknown) => void)[] = [];
  private callback: DataCallback | undefined;

  listen(callback: DataCallback): Disposable {
    this.callback = callback;
    return { dispose: () => (this.callback = undefined) };
  }

  put(message: unknown): void {
    const text = JSON.stringify(message) as string | undefined;
    setImmediate(() => {
      if (this.closed || text === undefined) return;
      const arrived = JSON.parse(text) as Message;
      for (const listener of this.listeners) listener(arrived);
      this.callback?.(arrived);
    });
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    setImmediate(() => {
      this.fireClose();
    });
  }
}
