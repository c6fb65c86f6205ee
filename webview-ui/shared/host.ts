/** What VS Code gives to the script of a webview; the preview page in a plain browser gives the same. */
interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

interface Message {
  readonly kind: string;
}

/** The extension as a webview sees it. `Sent` and `Received` are the two message unions of the view's own message file. */
export interface Host<Sent, Received, State> {
  post(message: Sent): void;
  /** Messages come from the extension alone: nobody else has a handle of a webview's window. What is none of its messages is passed over. */
  onMessage(listener: (message: Received) => void): void;
  /** What the view remembered last; it survives hiding and a reload of the window. */
  readonly remembered: State | undefined;
  remember(state: State): void;
}

/**
 * Connects to the extension; can be called once in a page.
 *
 * @param kinds of messages that the page understands: all that there are
 */
export function connectHost<Sent, Received extends Message, State>(
  kinds: Readonly<Record<Received['kind'], true>>,
): Host<Sent, Received, State> {
  const api = acquireVsCodeApi();
  return {
    post: (message) => {
      api.postMessage(message);
    },
    onMessage: (listener) => {
      addEventListener('message', ({ data }: MessageEvent<unknown>) => {
        if (isOneOf(data, kinds)) listener(data);
      });
    },
    get remembered() {
      return api.getState() as State | undefined;
    },
    remember: (state) => {
      api.setState(state);
    },
  };
}

function isOneOf<Received extends Message>(
  data: unknown,
  kinds: Readonly<Record<Received['kind'], true>>,
): data is Received {
  const { kind } = (typeof data === 'object' && data !== null ? data : {}) as { readonly kind?: unknown };
  return typeof kind === 'string' && Object.hasOwn(kinds, kind);
}
