/** As much of the editor's interface as what is shown needs, with what was shown. Use: `vi.mock('vscode', async () => (await import(…)).fakeVscode())`. */
export interface Told {
  readonly messages: string[];
  readonly items: { label: string; description?: string; detail?: string }[];
  readonly progress: string[];
}

export const told: Told = { messages: [], items: [], progress: [] };

/** Commands that are registered, by their names. */
export const commands = new Map<string, (...given: unknown[]) => unknown>();

class MarkdownString {
  value: string;
  isTrusted: unknown;
  supportHtml: unknown;
  supportThemeIcons: boolean;
  constructor(value: string, supportThemeIcons = false) {
    this.value = value;
    this.supportThemeIcons = supportThemeIcons;
  }
}

class TreeItem {
  label: string;
  constructor(label: string) {
    this.label = label;
  }
}

class Named {
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
}

class EventEmitter {
  readonly event = (): void => undefined;
  readonly fire = (): void => undefined;
  readonly dispose = (): void => undefined;
}

class Range {
  readonly start: unknown;
  readonly end: unknown;
  constructor(start: unknown, end: unknown) {
    this.start = start;
    this.end = end;
  }
}

const message = (text: string): Promise<undefined> => {
  told.messages.push(text);
  return Promise.resolve(undefined);
};

export function fakeVscode(): object {
  const statusBarItem = { show: () => undefined, hide: () => undefined, dispose: () => undefined };
  return {
    ...{ MarkdownString, TreeItem, EventEmitter, Range, ThemeIcon: Named, ThemeColor: Named },
    Uri: {
      file: (fsPath: string) => ({ fsPath, scheme: 'file', toString: () => `file://${fsPath}` }),
      joinPath: (base: string, ...parts: string[]) => ({ toString: () => [base, ...parts].join('/') }),
    },
    ...{ StatusBarAlignment: { Right: 2 }, DecorationRangeBehavior: { ClosedOpen: 1 } },
    ...{ ProgressLocation: { Notification: 15 }, ViewColumn: { One: 1, Beside: -2 } },
    window: {
      showInformationMessage: message,
      showWarningMessage: (text: string, options?: { detail?: string }) => message(`${text}\n${options?.detail ?? ''}`),
      showErrorMessage: message,
      withProgress: async (
        { title }: { title: string },
        task: (progress: { report: (step: { message?: string }) => void }) => Promise<unknown>,
      ) => {
        told.progress.push(title);
        return task({ report: ({ message: text = '' }) => told.progress.push(text) });
      },
      createTreeView: () => ({ dispose: () => undefined }),
      createStatusBarItem: () => statusBarItem,
      createTextEditorDecorationType: () => ({ dispose: () => undefined }),
    },
    workspace: {
      isTrusted: true,
      workspaceFolders: [],
      textDocuments: [],
      asRelativePath: (file: string) => file,
      openTextDocument: () => Promise.reject(new Error('opened')),
    },
    statusBarItem,
    commands: {
      registerCommand: (id: string, run: (...given: unknown[]) => unknown) => {
        commands.set(id, run);
        return { dispose: () => commands.delete(id) };
      },
    },
  };
}
