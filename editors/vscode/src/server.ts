// The server: how it is started or attached to, what is asked of it, and what it tells. Everything else in this
// extension goes through `ask`, `chat` and `on`, which survive a restart.
import { spawn, type ChildProcess } from "node:child_process";
import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  ProgressType,
  ResponseError,
  RevealOutputChannelOn,
  type LanguageClientOptions,
} from "vscode-languageclient/node";
import type {
  ChatEvent,
  ChatStreamParams,
  ChatStreamResult,
  ClientTrunkline,
  ErrorData,
  Notifications,
  Requests,
} from "trunkline-protocol";

const ANNOUNCED: ClientTrunkline = {
  versions: ["1.0"],
  events: true,
  optOut: ["server/notice"], // the server says the same with window/showMessage, which VS Code shows
};
const MOST_RESTARTS = 3;
const RESTARTS_WITHIN_MS = 3 * 60_000;
/** What does not end in this time must not keep the next one from starting. */
const ENDS_WITHIN_MS = 5_000;

/** Why the server did not do what it was asked: its sentence, its hint, and the kind of error. */
export class ServerError extends Error {
  constructor(
    message: string,
    readonly kind?: string,
  ) {
    super(message);
  }

  static from(error: unknown): ServerError {
    if (error instanceof ServerError) return error;
    if (error instanceof ResponseError) {
      const data = error.data as Partial<ErrorData> | undefined;
      return new ServerError([error.message, data?.hint].filter(Boolean).join(" "), data?.kind);
    }
    return new ServerError(error instanceof Error ? error.message : String(error));
  }
}

export class Server {
  readonly log = vscode.window.createOutputChannel("Trunkline", { log: true });
  private readonly told = new vscode.EventEmitter<[keyof Notifications, unknown]>();
  private readonly started = new vscode.EventEmitter<void>();
  /** Fires whenever a server has started: what was known of the one before is worth nothing. */
  readonly onDidStart = this.started.event;
  private readonly stopped = new vscode.EventEmitter<string>();
  /** Fires with the reason when there is no server any more. */
  readonly onDidStop = this.stopped.event;
  private client: LanguageClient | undefined;
  private running: Promise<LanguageClient> | undefined;
  private starting: Promise<void> = Promise.resolve();
  private starts = 0;
  private restarts: number[] = [];
  private process: ChildProcess | undefined;
  private ended: Promise<unknown> = Promise.resolve();
  private lastWords = "";
  private tokens = 0;

  /**
   * Start the server, or start it anew. What goes wrong is shown to the user and thrown. One after the other, and of
   * several calls that wait only the last counts: a setting changes with every letter that is typed.
   */
  start(): Promise<void> {
    const call = ++this.starts;
    const starting = this.starting.then(async () => {
      if (call !== this.starts) return;
      await this.stop();
      this.restarts = [];
      await this.launch();
    });
    this.starting = starting.catch(() => undefined);
    return starting;
  }

  async ask<M extends keyof Requests>(
    method: M,
    params: Requests[M]["params"],
    token?: vscode.CancellationToken,
  ): Promise<Requests[M]["result"]> {
    const client = await this.current();
    try {
      // A token that is undefined would be taken for one more parameter.
      return await client.sendRequest<Requests[M]["result"]>(method, params, ...(token ? [token] : []));
    } catch (error) {
      throw ServerError.from(error);
    }
  }

  /** `chat/stream`; `onEvent` gets everything that comes before the result. */
  async chat(
    params: ChatStreamParams,
    onEvent: (event: ChatEvent) => void,
    token?: vscode.CancellationToken,
  ): Promise<ChatStreamResult> {
    const client = await this.current();
    const partialResultToken = `chat-${++this.tokens}`;
    const listening = client.onProgress(new ProgressType<ChatEvent>(), partialResultToken, onEvent);
    try {
      return await this.ask("chat/stream", { ...params, partialResultToken }, token);
    } finally {
      listening.dispose();
    }
  }

  on<M extends keyof Notifications>(method: M, listener: (params: Notifications[M]) => void): vscode.Disposable {
    return this.told.event(([name, params]) => {
      if (name === method) listener(params as Notifications[M]);
    });
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = this.running = undefined;
    await client?.dispose().catch(() => undefined); // one that never ran cannot be stopped
  }

  private current(): Promise<LanguageClient> {
    return this.running ?? Promise.reject(new ServerError("The Trunkline server is not running."));
  }

  private async launch(): Promise<void> {
    const client = this.makeClient();
    this.client = client;
    this.running = client.start().then(() => client);
    try {
      await this.running;
      this.started.fire();
    } catch (error) {
      this.process?.kill();
      this.process?.stdout?.resume(); // nobody reads it any more, and with something left in it it would never close
      await Promise.race([this.ended, after(ENDS_WITHIN_MS)]); // by then it has said on stderr what was wrong
      if (this.client === client) this.report("did not start", ServerError.from(error).message);
      throw error;
    }
  }

  private makeClient(): LanguageClient {
    const options: LanguageClientOptions = {
      documentSelector: [{ scheme: "file" }, { scheme: "untitled" }], // buffers that tools of sessions read
      outputChannel: this.log,
      traceOutputChannel: withoutTrace(this.log),
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      synchronize: { configurationSection: "trunkline" },
      initializationFailedHandler: (error) => {
        throw error; // anything else makes the library stop a client that is starting, which it then refuses
      },
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }), // the end of the connection is what counts
        closed: () => ({ action: this.mayRestart(client) ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true }),
      },
    };
    const client: LanguageClient = new QuietClient("trunkline", "Trunkline", () => this.spawn(), options);
    client.registerFeature({
      fillClientCapabilities: (capabilities) => {
        capabilities.experimental = { trunkline: ANNOUNCED };
      },
      initialize: () => undefined,
      getState: () => ({ kind: "static" }),
      clear: () => undefined,
    });
    for (const method of TOLD) client.onNotification(method, (params) => this.told.fire([method, params]));
    return client;
  }

  /** The process that VS Code talks to. */
  private async spawn(): Promise<ChildProcess> {
    const settings = vscode.workspace.getConfiguration("trunkline");
    const program = settings.get("path", "trunkline");
    const url = settings.get("attach", "");
    const tokenFile = settings.get("tokenFile", "");
    const process = spawn(
      program,
      url ? ["attach", url, ...(tokenFile ? [`--token-file=${tokenFile}`] : [])] : ["--stdio"],
      { cwd: vscode.workspace.workspaceFolders?.find((folder) => folder.uri.scheme === "file")?.uri.fsPath },
    );
    this.process = process;
    this.lastWords = "";
    process.stderr.on("data", (data: Buffer) => {
      this.lastWords = data.toString().trim().split("\n").at(-1)?.replace(/^trunkline: /, "") || this.lastWords;
    });
    await new Promise<void>((resolve, reject) => {
      process.once("spawn", () => {
        this.ended = new Promise((ended) => process.once("close", ended));
        resolve();
      });
      process.once("error", (error: NodeJS.ErrnoException) =>
        reject(error.code === "ENOENT" ? notFound(program) : error),
      );
    });
    return process;
  }

  /** Whether a connection that broke is worth another try; says so where it is not. */
  private mayRestart(client: LanguageClient): boolean {
    if (this.client !== client || client.initializeResult === undefined) return false;
    const now = Date.now();
    this.restarts = [...this.restarts.filter((time) => now - time < RESTARTS_WITHIN_MS), now];
    if (this.restarts.length <= MOST_RESTARTS) {
      void this.restarted(client);
      return true;
    }
    this.running = undefined;
    this.report("stopped", "It was restarted three times and ended every time.");
    return false;
  }

  private async restarted(client: LanguageClient): Promise<void> {
    const running = new Promise<LanguageClient>((resolve, reject) =>
      // The client begins to start behind this call, with the same promise for everybody who asks.
      setImmediate(() => client.start().then(() => resolve(client), reject)),
    );
    this.running = running;
    await running.then(
      () => this.started.fire(),
      (error: unknown) => this.report("did not start again", ServerError.from(error).message),
    );
  }

  private report(what: string, reason: string): void {
    const why = this.lastWords || reason;
    this.log.error(`The server ${what}: ${why}`);
    this.stopped.fire(why);
    void vscode.window
      .showErrorMessage(`Trunkline ${what}: ${why}`, "Show Log", "Restart", "Settings")
      .then((choice) => {
        if (choice === "Show Log") this.log.show();
        if (choice === "Restart") void vscode.commands.executeCommand("trunkline.restart");
        if (choice === "Settings") void openSettings();
      });
  }
}

const TOLD = [
  "server/statusChanged",
  "provider/changed",
  "model/changed",
  "auth/loginCompleted",
  "session/event",
  "session/closed",
] as const satisfies readonly (keyof Notifications)[];

function after(ms: number): Promise<void> {
  return new Promise((passed) => setTimeout(passed, ms));
}

/** Its own pop-ups say less than ours. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** Traces would show keys and conversations, so there are none; the server's own `--log-file` has neither. */
function withoutTrace(log: vscode.LogOutputChannel): vscode.LogOutputChannel {
  const never: vscode.LogOutputChannel["onDidChangeLogLevel"] = () => new vscode.Disposable(() => undefined);
  return Object.create(log, {
    logLevel: { value: vscode.LogLevel.Info },
    onDidChangeLogLevel: { value: never },
  }) as vscode.LogOutputChannel;
}

/** Where the setting is that says which server to use; one of a remote machine is on a page of its own. */
async function openSettings(): Promise<void> {
  const setting = vscode.workspace.getConfiguration("trunkline").get("attach", "") ? "attach" : "path";
  const page = vscode.env.remoteName ? "openRemoteSettings" : "openSettings";
  await vscode.commands.executeCommand(`workbench.action.${page}`, { query: `@id:trunkline.${setting}` });
}

function notFound(program: string): ServerError {
  return new ServerError(
    `There is no program "${program}". Install it with "pipx install trunkline", or set trunkline.path.`,
  );
}
