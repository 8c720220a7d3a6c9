// `@trunkline`: each chat of VS Code is a session of the server, which keeps it, runs its tools and asks for
// permissions; other editors and terminals can follow it.
import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { AnySessionEvent, TextPart } from "trunkline-protocol";
import { ServerError, type Server } from "./server";

export const PARTICIPANT = "trunkline.chat";

export class Participant implements vscode.Disposable {
  private readonly participant: vscode.ChatParticipant;
  private readonly listening: vscode.Disposable;
  private readonly attached = new Set<string>();
  private next: string | undefined;

  constructor(private readonly server: Server) {
    this.participant = vscode.chat.createChatParticipant(PARTICIPANT, (...request) => this.answer(...request));
    this.participant.iconPath = new vscode.ThemeIcon("git-merge");
    this.listening = server.onDidStart(() => this.attached.clear());
  }

  dispose(): void {
    this.participant.dispose();
    this.listening.dispose();
  }

  /** Let the next question in a new chat belong to this session. */
  continueWith(sessionId: string): void {
    this.next = sessionId;
  }

  private async answer(
    request: vscode.ChatRequest,
    context: vscode.ChatContext,
    stream: vscode.ChatResponseStream,
    token: vscode.CancellationToken,
  ): Promise<vscode.ChatResult> {
    let sessionId: string | undefined;
    try {
      sessionId = await this.session(context, request.model);
      await this.turn(sessionId, request, stream, token);
      return { metadata: { sessionId } };
    } catch (error) {
      const failure = ServerError.from(error);
      if (failure.kind?.startsWith("auth") || failure.kind?.startsWith("model")) {
        stream.button({ command: "trunkline.signIn", title: "Sign In" });
      }
      return { errorDetails: { message: failure.message }, metadata: { sessionId } };
    }
  }

  /** The session of this chat, which this connection follows. */
  private async session(context: vscode.ChatContext, model: vscode.LanguageModelChat | undefined): Promise<string> {
    const known = sessionOf(context) ?? this.next;
    this.next = undefined;
    if (known === undefined) {
      const created = await this.server.ask("session/create", { model: ours(model) });
      this.attached.add(created.session.sessionId);
      return created.session.sessionId;
    }
    if (!this.attached.has(known)) {
      await this.server.ask("session/attach", { sessionId: known, role: "controller", snapshot: { maxTurns: 0 } });
      this.attached.add(known);
    }
    return known;
  }

  /** Ask, and show what comes of it until the turn has ended. */
  private async turn(
    sessionId: string,
    request: vscode.ChatRequest,
    stream: vscode.ChatResponseStream,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const requestKey = randomUUID();
    const input = [await asInput(request)];
    let turnId: string | undefined;
    const subscriptions: vscode.Disposable[] = [];
    const ended = new Promise<void>((resolve, reject) => {
      subscriptions.push(
        this.server.on("session/event", (event) => {
          if (event.sessionId !== sessionId) return;
          if (event.type === "turn.queued" && event.requestKey === requestKey) turnId = event.turnId;
          if (turnId === undefined || event.turnId !== turnId) return; // another editor's turn
          show(event, stream);
          if (event.type !== "turn.completed") return;
          if (event.error) reject(new ServerError(sentence(event.error), event.error.data.kind));
          else resolve();
        }),
        this.server.on("session/closed", (closed) => {
          if (closed.sessionId === sessionId) reject(new ServerError("This session has been deleted."));
        }),
        this.server.onDidStop((reason) => reject(new ServerError(reason))),
        this.server.onDidStart(() => reject(new ServerError("The server ended in the middle of the answer."))),
        token.onCancellationRequested(() => {
          this.server.ask("session/interrupt", { sessionId, turnId }).catch(reject);
        }),
      );
    });
    try {
      const asking = this.server.ask("session/prompt", { sessionId, input, requestKey, model: ours(request.model) });
      await Promise.all([asking, ended]);
    } finally {
      for (const subscription of subscriptions) subscription.dispose();
    }
  }
}

function show(event: AnySessionEvent, stream: vscode.ChatResponseStream): void {
  switch (event.type) {
    case "text.delta":
      stream.markdown(event.text);
      break;
    case "tool.call":
      stream.progress(`Running ${event.name}`);
      break;
    case "permission.requested":
      stream.progress(event.title);
      break;
    case "retry.scheduled":
    case "fallback.started":
      stream.progress(event.error.message);
      break;
    case "notice":
      stream.progress(event.notice.message);
      break;
    case "citation.added":
      if (event.citation.url) stream.reference(vscode.Uri.parse(event.citation.url));
      break;
  }
}

/** The question, and the names or texts of what the user attached to it; files are read by the session's tools. */
async function asInput(request: vscode.ChatRequest): Promise<TextPart> {
  const attached = await Promise.all(request.references.map(({ value }) => asText(value)));
  return { type: "text", text: [request.prompt, ...attached.filter(Boolean)].join("\n\n") };
}

async function asText(value: unknown): Promise<string> {
  if (typeof value === "string") return value;
  if (value instanceof vscode.Uri) return `File: ${vscode.workspace.asRelativePath(value)}`;
  if (!(value instanceof vscode.Location)) return "";
  const document = await vscode.workspace.openTextDocument(value.uri);
  const line = value.range.start.line + 1;
  return `${vscode.workspace.asRelativePath(value.uri)}, from line ${line}:\n\n${document.getText(value.range)}`;
}

function sessionOf(context: vscode.ChatContext): string | undefined {
  for (const turn of [...context.history].reverse()) {
    if (turn instanceof vscode.ChatResponseTurn && turn.participant === PARTICIPANT) {
      const sessionId: unknown = turn.result.metadata?.["sessionId"];
      if (typeof sessionId === "string") return sessionId;
    }
  }
  return undefined;
}

/** The model of the picker, if it is one of Trunkline's; otherwise the server has a default. */
function ours(model: vscode.LanguageModelChat | undefined): string | undefined {
  return model?.vendor === "trunkline" ? model.id : undefined;
}

function sentence(error: { message: string; data: { hint?: string | null } }): string {
  return [error.message, error.data.hint].filter(Boolean).join(" ");
}
