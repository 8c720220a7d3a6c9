// As much of the module `vscode` as the extension needs, under a test's control. Names that vscode-languageclient
// only mentions are empty classes; events that nobody fires are subscribed to in vain.
"use strict";
const { pathToFileURL, fileURLToPath } = require("node:url");

class Disposable {
  constructor(dispose) {
    this.dispose = dispose ?? (() => undefined);
  }
}

class EventEmitter {
  listeners = new Set();
  event = (listener, that) => {
    const bound = that ? listener.bind(that) : listener;
    this.listeners.add(bound);
    return new Disposable(() => this.listeners.delete(bound));
  };
  fire(value) {
    for (const listener of [...this.listeners]) listener(value);
  }
  dispose() {
    this.listeners.clear();
  }
}

class CancellationTokenSource {
  emitter = new EventEmitter();
  token = { isCancellationRequested: false, onCancellationRequested: this.emitter.event };
  cancel() {
    this.token.isCancellationRequested = true;
    this.emitter.fire();
  }
  dispose() {}
}

class CancellationError extends Error {}

class LanguageModelError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}
for (const code of ["NoPermissions", "NotFound", "Blocked"]) {
  LanguageModelError[code] = (message) => new LanguageModelError(code, message);
}

const record = (...names) =>
  class {
    constructor(...values) {
      names.forEach((name, index) => (this[name] = values[index]));
    }
  };

class Uri {
  constructor(text) {
    this.text = text;
    this.scheme = new URL(text).protocol.slice(0, -1);
  }
  static file = (path) => new Uri(pathToFileURL(path).href);
  static parse = (text) => new Uri(text);
  static from = ({ scheme, path, query }) => new Uri(`${scheme}:${encodeURI(path)}?${query}`);
  get query() {
    return new URL(this.text).search.slice(1);
  }
  get fsPath() {
    return fileURLToPath(this.text);
  }
  toString() {
    return this.text;
  }
  toJSON() {
    return this.text;
  }
}

class WorkspaceEdit {
  changes = [];
  set(uri, edits) {
    for (const [edit] of edits) this.changes.push({ uri, ...edit });
  }
}

const nobodyFires = () => new Disposable();
const open = (members) =>
  new Proxy(members, {
    get: (target, name) =>
      name in target || typeof name !== "string" || !/^on(Did|Will)/.test(name) ? target[name] : nobodyFires,
  });

// --- what the test looks at and decides -----------------------------------------------------------------------

const test = {
  settings: {},
  updates: [],
  /** Messages and dialogs that were shown, oldest first. */
  shown: [],
  /** What the user does: functions by the kind of dialog; without one the dialog is closed. */
  answers: {},
  contexts: {},
  log: [],
  opened: [],
  clipboard: undefined,
  documents: [],
  folders: [],
  statusItem: {},
  edits: [],
  /** Resolves at the next event whose emitter is given, or when `done` says so. */
  async until(event, done) {
    if (done()) return;
    await new Promise((resolve) => {
      const listening = event(() => {
        if (!done()) return;
        listening.dispose();
        resolve();
      });
    });
  },
};
const configurationChanged = new EventEmitter();
const registered = new Map();
const contents = new Map();
const acted = new EventEmitter();
test.onDidAct = acted.event;

test.change = (name, value) => {
  test.settings[name] = value;
  configurationChanged.fire({ affectsConfiguration: (section) => `trunkline.${name}`.startsWith(section) });
};

const show = (kind) => async (message, ...rest) => {
  const actions = rest.filter((action) => typeof action === "string" || action?.title);
  test.shown.push({ kind, message, actions: actions.map((action) => action.title ?? action) });
  acted.fire();
  return test.answers[kind]?.(message, actions);
};

const log = {
  logLevel: 3,
  onDidChangeLogLevel: nobodyFires,
  show: () => test.shown.push({ kind: "log" }),
  dispose() {},
};
for (const level of ["trace", "debug", "info", "warn", "error", "append", "appendLine", "replace"]) {
  log[level] = (...values) => test.log.push([level, ...values.map(String)].join(" "));
}

const members = {
  test,
  Disposable,
  EventEmitter,
  CancellationTokenSource,
  CancellationError,
  LanguageModelError,
  Uri,
  LanguageModelTextPart: record("value"),
  LanguageModelDataPart: record("data", "mimeType"),
  LanguageModelToolCallPart: record("callId", "name", "input"),
  LanguageModelToolResultPart: record("callId", "content"),
  LanguageModelChatMessageRole: { User: 1, Assistant: 2 },
  LanguageModelChatToolMode: { Auto: 1, Required: 2 },
  ChatResponseTurn: record("participant", "result"),
  ThemeIcon: record("id"),
  ThemeColor: record("id"),
  Location: record("uri", "range"),
  Range: record("startLine", "startCharacter", "endLine", "endCharacter"),
  TextEdit: record("range", "newText"),
  WorkspaceEdit,
  LogLevel: { Off: 0, Trace: 1, Debug: 2, Info: 3, Warning: 4, Error: 5 },
  ConfigurationTarget: { Global: 1 },
  StatusBarAlignment: { Left: 1, Right: 2 },
  ProgressLocation: { Window: 10, Notification: 15 },
  version: "1.106.0",
  env: open({
    appName: "a fake",
    language: "en",
    clipboard: { writeText: async (text) => void (test.clipboard = text) },
    openExternal: async (uri) => (test.opened.push(uri.toString()), true),
  }),
  chat: open({
    createChatParticipant: (id, handler) => (test.participant = { id, handler, dispose() {} }),
  }),
  lm: open({
    registerLanguageModelChatProvider: (vendor, provider) => ((test.vendor = vendor), (test.provider = provider), new Disposable()),
  }),
  commands: open({
    registerCommand: (name, run) => (registered.set(name, run), new Disposable()),
    async executeCommand(name, ...args) {
      if (name === "setContext") test.contexts[args[0]] = args[1];
      else if (registered.has(name)) return registered.get(name)(...args);
      else test.shown.push({ kind: "command", message: name, actions: args });
      acted.fire();
    },
  }),
  window: open({
    createOutputChannel: () => log,
    createStatusBarItem: () => Object.assign(test.statusItem, { show() {}, dispose() {} }),
    showErrorMessage: show("error"),
    showWarningMessage: show("warning"),
    showInformationMessage: show("information"),
    async showQuickPick(items, options) {
      test.shown.push({ kind: "pick", message: options.title, choices: items.length });
      return test.answers.pick?.(items, options);
    },
    async showInputBox(options) {
      test.shown.push({ kind: "input", message: options.title, password: options.password });
      return test.answers.input?.(options);
    },
    async showTextDocument(uri) {
      const content = await contents.get(uri.scheme).provideTextDocumentContent(uri);
      test.document = { getText: () => content };
    },
    withProgress: (_options, run) => run({ report: () => undefined }, new CancellationTokenSource().token),
    tabGroups: open({ all: [] }),
    visibleTextEditors: [],
  }),
  workspace: open({
    onDidChangeConfiguration: configurationChanged.event,
    getConfiguration: (section) => ({
      ...(section === "trunkline" ? test.settings : {}),
      get: (name, otherwise) => (section === "trunkline" ? test.settings[name] : undefined) ?? otherwise,
      async update(name, value) {
        test.updates.push([name, value]);
        test.change(name, value);
      },
    }),
    get workspaceFolders() {
      return test.folders;
    },
    get textDocuments() {
      return test.documents;
    },
    async applyEdit({ changes }) {
      test.edits.push(...changes);
      return true;
    },
    registerTextDocumentContentProvider: (scheme, provider) => (contents.set(scheme, provider), new Disposable()),
    asRelativePath: (uri) => uri.fsPath.split("/").at(-1),
    notebookDocuments: [],
  }),
  languages: open({ match: () => 10, createDiagnosticCollection: () => ({ clear() {}, dispose() {} }) }),
};

module.exports = new Proxy(members, {
  get: (target, name) => (name in target || typeof name !== "string" ? target[name] : (target[name] = class {})),
});
