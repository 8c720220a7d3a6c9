// The commands, besides signing in: choose a model, continue a session, share, attach.
import * as vscode from "vscode";
import { usableModels } from "./models";
import type { Participant } from "./participant";
import type { Server } from "./server";
import { titleOf, type Transcripts } from "./transcripts";

export async function chooseModel(server: Server): Promise<void> {
  const models = await usableModels(server);
  const items = models.map(({ model, provider }) => ({
    label: model.name,
    description: model.model,
    detail: provider,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    title: "The default model",
    placeHolder: items.length > 0 ? "Model" : "Sign in to a provider first",
    matchOnDescription: true,
  });
  if (!picked) return;
  const settings = vscode.workspace.getConfiguration("trunkline");
  await settings.update("model", picked.description, vscode.ConfigurationTarget.Global);
}

export async function continueSession(
  server: Server,
  participant: Participant,
  transcripts: Transcripts,
): Promise<void> {
  const { sessions } = await server.ask("session/list", {});
  const items = sessions.map((session) => ({
    label: titleOf(session),
    description: session.model,
    detail: [localTime(session.updatedAt), session.cwd].filter(Boolean).join(", "),
    session,
  }));
  const picked = await vscode.window.showQuickPick(items, {
    title: "Sessions",
    placeHolder: items.length > 0 ? "Continue with" : "There are no sessions yet",
    matchOnDescription: true,
    matchOnDetail: true,
  });
  if (!picked) return;
  await transcripts.show(picked.session);
  participant.continueWith(picked.session.sessionId);
  await vscode.commands.executeCommand("workbench.action.chat.newChat");
  await vscode.commands.executeCommand("workbench.action.chat.open", { query: "@trunkline ", isPartialQuery: true });
}

function localTime(timestamp: string): string {
  return new Date(timestamp).toLocaleString(vscode.env.language, { dateStyle: "medium", timeStyle: "short" });
}

export async function share(server: Server): Promise<void> {
  const items = [
    { label: "Let others watch", scope: "observe" as const },
    { label: "Let others ask as well", scope: "control" as const },
  ];
  const picked = await vscode.window.showQuickPick(items, { title: "Share this server on this machine" });
  if (!picked) return;
  const { url, tokenFile } = await server.ask("session/share", { scope: picked.scope });
  const command = `trunkline attach ${url} --token-file=${tokenFile}`;
  const choice = await vscode.window.showInformationMessage(`Others attach with: ${command}`, "Copy");
  if (choice === "Copy") await vscode.env.clipboard.writeText(command);
}

/** Changing the setting restarts the client; see `extension.ts`. */
export async function attach(): Promise<void> {
  const settings = vscode.workspace.getConfiguration("trunkline");
  const url = await vscode.window.showInputBox({
    title: "Attach to a server",
    prompt: "unix:PATH, ws://127.0.0.1:PORT or wss://HOST:PORT; nothing for a server of this window's own",
    value: settings.get("attach", ""),
    ignoreFocusOut: true,
  });
  if (url !== undefined) await settings.update("attach", url.trim(), vscode.ConfigurationTarget.Global);
}
