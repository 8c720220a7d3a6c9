// What was said in a session, as a page of Markdown that cannot be changed and so need not be saved.
import * as vscode from "vscode";
import type { SessionInfo, Turn } from "trunkline-protocol";
import type { Server } from "./server";

const SCHEME = "trunkline-session";

export class Transcripts implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly registered = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);

  constructor(private readonly server: Server) {}

  dispose(): void {
    this.registered.dispose();
    this.changed.dispose();
  }

  async show(session: SessionInfo): Promise<void> {
    const name = titleOf(session).replaceAll("/", " ");
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}.md`, query: session.sessionId });
    this.changed.fire(uri); // it may be open since earlier
    await vscode.window.showTextDocument(uri);
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const { session, turns, nextBefore } = await this.server.ask("session/read", { sessionId: uri.query });
    const earlier = nextBefore ? ["*There are earlier turns.*"] : [];
    return `# ${titleOf(session)}\n\n${[...earlier, ...turns.flatMap(said)].join("\n\n---\n\n")}\n`;
  }
}

export function titleOf(session: SessionInfo): string {
  return session.title ?? "Untitled";
}

function said(turn: Turn): string[] {
  return turn.items.flatMap(({ message }) => {
    const parts = typeof message.content === "string" ? [] : message.content;
    const text = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
    return text ? [`**${message.role}**\n\n${text}`] : [];
  });
}
