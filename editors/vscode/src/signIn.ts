// Signing in: a key goes from the password box into one request and is forgotten; pages are opened by the server.
import * as vscode from "vscode";
import type { AuthLoginCompletedParams, AuthLoginResult, ProviderInfo } from "trunkline-protocol";
import { ServerError, type Server } from "./server";

type Method = ProviderInfo["auth"]["methods"][number];

const METHODS: Record<Method, string> = {
  apiKey: "Enter an API key",
  browser: "Sign in with the browser",
  device: "Sign in with a code on another device",
};

export async function signIn(server: Server): Promise<void> {
  const { providers } = await server.ask("provider/list", {});
  const provider = await pickProvider(providers);
  if (!provider) return;
  const method = await pickMethod(provider);
  if (!method) return;
  if (method === "apiKey") await storeKey(server, provider);
  else await signInOnPage(server, provider, method);
}

async function pickProvider(providers: readonly ProviderInfo[]): Promise<ProviderInfo | undefined> {
  const items = providers
    .filter((provider) => provider.auth.methods.length > 0)
    .map((provider) => ({
      label: provider.name,
      description: provider.auth.keyState === "present" ? "signed in" : provider.providerId,
      provider,
    }));
  const picked = await vscode.window.showQuickPick(items, {
    title: "Sign in to a provider",
    placeHolder: "Provider",
    matchOnDescription: true,
  });
  return picked?.provider;
}

async function pickMethod({ name, auth }: ProviderInfo): Promise<Method | undefined> {
  if (auth.methods.length <= 1) return auth.methods[0];
  const items = auth.methods.map((method) => ({ label: METHODS[method], method }));
  return (await vscode.window.showQuickPick(items, { title: `Sign in to ${name}` }))?.method;
}

async function storeKey(server: Server, { providerId, name }: ProviderInfo): Promise<void> {
  const secret = await vscode.window.showInputBox({
    title: `Sign in to ${name}`,
    prompt: `API key for ${name}. It is stored by the server; the extension keeps no copy.`,
    password: true,
    ignoreFocusOut: true,
  });
  if (!secret) return;
  const { verification } = await server.ask("auth/set", { providerId, secret, verify: true });
  const problem = verification?.error?.message;
  if (verification?.state === "rejected") throw new ServerError(problem ?? `${name} does not accept the key.`);
  void vscode.window.showInformationMessage(`The key for ${name} is stored. ${problem ?? ""}`.trim());
}

async function signInOnPage(server: Server, { providerId, name }: ProviderInfo, method: "browser" | "device") {
  const login = await server.ask("auth/login", { providerId, method });
  const completed = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: `Signing in to ${name}`, cancellable: true },
    (progress, token) => {
      if (login.userCode) progress.report({ message: `Enter the code ${login.userCode} on the page.` });
      token.onCancellationRequested(() => void server.ask("auth/cancelLogin", { loginId: login.loginId }));
      const ended = completion(server, login.loginId);
      void help(server, login).catch((error: unknown) => server.log.error(ServerError.from(error).message));
      return ended;
    },
  );
  if (completed.ok) void vscode.window.showInformationMessage(`You are signed in to ${name}.`);
  else if (completed.error?.data.kind !== "loginCancelled") {
    throw new ServerError(completed.error?.message ?? `Signing in to ${name} failed.`);
  }
}

/** What only this side can do: copy the code, open a page that the server was not able to, ask for what it shows. */
async function help(server: Server, login: AuthLoginResult): Promise<void> {
  if (login.userCode) await vscode.env.clipboard.writeText(login.userCode);
  if (login.url) await vscode.env.openExternal(vscode.Uri.parse(login.url));
  if (!login.needsCode) return;
  const code = await vscode.window.showInputBox({
    title: "Sign in",
    prompt: "The code that the page shows",
    password: true,
    ignoreFocusOut: true,
  });
  if (code) await server.ask("auth/submitCode", { loginId: login.loginId, code });
  else await server.ask("auth/cancelLogin", { loginId: login.loginId });
}

function completion(server: Server, loginId: string): Promise<AuthLoginCompletedParams> {
  return new Promise((resolve) => {
    const listening = server.on("auth/loginCompleted", (completed) => {
      if (completed.loginId !== loginId) return;
      listening.dispose();
      resolve(completed);
    });
  });
}
