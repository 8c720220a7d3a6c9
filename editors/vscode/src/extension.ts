// The extension, put together: the server, and the four places where VS Code shows it.
import * as vscode from "vscode";
import { attach, chooseModel, continueSession, share } from "./commands";
import { Models } from "./models";
import { Participant } from "./participant";
import { Server, ServerError } from "./server";
import { signIn } from "./signIn";
import { StatusItem } from "./status";
import { Transcripts } from "./transcripts";

const NEEDS_RESTART = ["trunkline.path", "trunkline.attach", "trunkline.tokenFile"];

let server: Server | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const started = (server = new Server());
  const models = new Models(started);
  const participant = new Participant(started);
  const transcripts = new Transcripts(started);
  context.subscriptions.push(
    started.log,
    models,
    participant,
    transcripts,
    new StatusItem(started),
    vscode.lm.registerLanguageModelChatProvider("trunkline", models),
    command("signIn", () => signIn(started)),
    command("chooseModel", () => chooseModel(started)),
    command("sessions", () => continueSession(started, participant, transcripts)),
    command("share", () => share(started)),
    command("attach", attach),
    vscode.commands.registerCommand("trunkline.restart", () => start(started)),
    vscode.commands.registerCommand("trunkline.showLog", () => started.log.show()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (NEEDS_RESTART.some((setting) => change.affectsConfiguration(setting))) void start(started);
    }),
  );
  await start(started);
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}

/** A server that does not start has said so; the rest of the extension waits for one that does. */
async function start(started: Server): Promise<void> {
  await started.start().catch(() => undefined);
}

/** A command whose failure is shown with its reason. */
function command(name: string, run: () => Promise<void>): vscode.Disposable {
  return vscode.commands.registerCommand(`trunkline.${name}`, async () => {
    try {
      await run();
    } catch (error) {
      void vscode.window.showErrorMessage(ServerError.from(error).message);
    }
  });
}
