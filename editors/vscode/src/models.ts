// Every model of a provider that can be used, as one of VS Code's own: for its picker and for `vscode.lm`.
import * as vscode from "vscode";
import type { ChatOptions, ModelInfo, Pricing } from "trunkline-protocol";
import { SentMessages, toProtocol, toTool, toVscode } from "./messages";
import { ServerError, type Server } from "./server";

const USABLE: ReadonlySet<string> = new Set(["ready", "stale", "loading"]);

export class Models implements vscode.LanguageModelChatProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeLanguageModelChatInformation = this.changed.event;
  private readonly sent = new SentMessages();
  private readonly subscriptions: vscode.Disposable[];

  constructor(private readonly server: Server) {
    const changed = (): void => this.changed.fire();
    this.subscriptions = [
      server.on("model/changed", changed),
      server.on("provider/changed", changed),
      server.onDidStart(changed),
      server.onDidStop(changed),
      this.changed,
    ];
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  async provideLanguageModelChatInformation(
    options: vscode.PrepareLanguageModelChatModelOptions,
    token: vscode.CancellationToken,
  ): Promise<vscode.LanguageModelChatInformation[]> {
    try {
      let models = await usableModels(this.server, token);
      if (models.length === 0 && !options.silent) {
        await vscode.commands.executeCommand("trunkline.signIn");
        models = await usableModels(this.server, token);
      }
      return models.map(({ model, provider }) => describe(model, provider));
    } catch (error) {
      this.server.log.error(`No models: ${ServerError.from(error).message}`);
      return [];
    }
  }

  async provideLanguageModelChatResponse(
    model: vscode.LanguageModelChatInformation,
    messages: readonly vscode.LanguageModelChatRequestMessage[],
    options: vscode.ProvideLanguageModelChatResponseOptions,
    progress: vscode.Progress<vscode.LanguageModelResponsePart>,
    token: vscode.CancellationToken,
  ): Promise<void> {
    const required = options.toolMode === vscode.LanguageModelChatToolMode.Required;
    try {
      await this.server.chat(
        {
          model: model.id,
          messages: messages.flatMap(toProtocol).map((message) => this.sent.original(message)),
          tools: options.tools?.map(toTool) ?? [],
          ...(required && { toolChoice: "required" }),
          options: (options.modelOptions ?? {}) as ChatOptions,
        },
        (event) => {
          if (event.type === "message.completed") this.sent.keep(event.message);
          const part = toVscode(event);
          if (part !== undefined) progress.report(part);
        },
        token,
      );
    } catch (error) {
      if (token.isCancellationRequested) throw new vscode.CancellationError();
      throw asVscode(ServerError.from(error));
    }
  }

  async provideTokenCount(
    model: vscode.LanguageModelChatInformation,
    text: string | vscode.LanguageModelChatRequestMessage,
    token: vscode.CancellationToken,
  ): Promise<number> {
    const counted = typeof text === "string" ? { text } : { messages: toProtocol(text) };
    return (await this.server.ask("model/countTokens", { model: model.id, ...counted }, token)).tokens;
  }
}

/** The models of providers that can be used, each with its provider's name. */
export async function usableModels(
  server: Server,
  token?: vscode.CancellationToken,
): Promise<{ model: ModelInfo; provider: string }[]> {
  const { providers } = await server.ask("provider/list", {}, token);
  const usable = providers.filter((provider) => USABLE.has(provider.state));
  if (usable.length === 0) return [];
  const names = new Map(usable.map((provider) => [provider.providerId, provider.name]));
  const { models } = await server.ask("model/list", { providerIds: [...names.keys()] }, token);
  return models.map((model) => ({ model, provider: names.get(model.providerId) ?? model.providerId }));
}

function describe(model: ModelInfo, provider: string): vscode.LanguageModelChatInformation {
  // Prompt and answer share the window; a model whose answer may fill all of it still takes long prompts.
  const room = Math.max(model.contextWindow - model.maxOutput, model.contextWindow >> 1);
  return {
    id: model.model,
    name: model.name,
    family: model.family ?? model.name,
    version: model.version ?? model.releaseDate ?? "",
    maxInputTokens: model.maxInput ?? room,
    maxOutputTokens: model.maxOutput,
    detail: provider,
    tooltip: [model.model, price(model.pricing)].filter(Boolean).join("\n"),
    capabilities: {
      imageInput: model.inputModalities.includes("image"),
      toolCalling: model.capabilities.tools,
    },
  };
}

function price(pricing: Pricing): string {
  if (pricing.input == null || pricing.output == null) return "";
  return `${pricing.input} / ${pricing.output} ${pricing.currency ?? "USD"} per million tokens`;
}

/** Extensions tell these errors apart by VS Code's codes. */
function asVscode(error: ServerError): Error {
  const kind = error.kind ?? "";
  if (kind.startsWith("auth")) return vscode.LanguageModelError.NoPermissions(error.message);
  if (kind.startsWith("model") || kind === "providerUnknown") return vscode.LanguageModelError.NotFound(error.message);
  if (["quotaExhausted", "contentFiltered", "refused"].includes(kind)) {
    return vscode.LanguageModelError.Blocked(error.message);
  }
  return error;
}
