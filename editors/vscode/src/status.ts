// The status item: what `server/status` says, in one symbol, with the reason behind it.
import * as vscode from "vscode";
import type { ServerStatus } from "trunkline-protocol";
import type { Server } from "./server";

const SYMBOLS: Record<ServerStatus["kind"], string> = {
  ok: "git-merge",
  info: "info",
  warning: "warning",
  error: "error",
};

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("trunkline", vscode.StatusBarAlignment.Right);
  private readonly subscriptions: vscode.Disposable[];

  constructor(private readonly server: Server) {
    this.item.name = "Trunkline";
    this.item.text = "$(loading~spin) Trunkline";
    this.item.show();
    this.subscriptions = [
      server.on("server/statusChanged", (status) => this.show(status)),
      server.onDidStart(() => void this.refresh()),
      server.onDidStop((reason) => this.stopped(reason)),
      this.item,
    ];
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private async refresh(): Promise<void> {
    try {
      this.show(await this.server.ask("server/status", {}));
    } catch {
      // It has stopped meanwhile, and that is told.
    }
  }

  private show(status: ServerStatus): void {
    const symbol = status.busy ? "loading~spin" : SYMBOLS[status.kind];
    const usable = Object.values(status.providers).filter((state) => state === "ready" || state === "stale").length;
    this.item.text = `$(${symbol}) Trunkline`;
    const providers = usable === 1 ? "1 provider" : `${usable} providers`;
    this.item.tooltip = status.message ?? `Trunkline ${status.version}: ${providers} can be used`;
    this.item.command = usable > 0 ? "trunkline.chooseModel" : "trunkline.signIn";
    this.item.backgroundColor = background(status.kind);
    void vscode.commands.executeCommand("setContext", "trunkline.running", true);
    void vscode.commands.executeCommand("setContext", "trunkline.signedIn", usable > 0);
  }

  private stopped(reason: string): void {
    this.item.text = "$(error) Trunkline";
    this.item.tooltip = reason;
    this.item.command = "trunkline.showLog";
    this.item.backgroundColor = background("error");
    void vscode.commands.executeCommand("setContext", "trunkline.running", false);
  }
}

function background(kind: ServerStatus["kind"]): vscode.ThemeColor | undefined {
  const shown = kind === "warning" || kind === "error";
  return shown ? new vscode.ThemeColor(`statusBarItem.${kind}Background`) : undefined;
}
