// VS Code's chat messages as the protocol's, and back. Pure: nothing is asked of the server here.
import * as vscode from "vscode";
import type { ChatEvent, MediaPart, Message, TextPart, Tool } from "trunkline-protocol";

type Part = Exclude<Message["content"], string>[number];

const MOST_REMEMBERED = 1_000;

/**
 * Messages with tool calls, by the id of each call. VS Code gives back only text and calls, but some models refuse
 * a call that comes without the reasoning and signatures they had sent with it.
 */
export class SentMessages {
  private readonly byCall = new Map<string, Message>();

  keep(message: Message): void {
    for (const part of parts(message)) {
      if (part.type === "toolCall") this.byCall.set(part.callId, message);
    }
    for (const callId of this.byCall.keys()) {
      if (this.byCall.size <= MOST_REMEMBERED) break;
      this.byCall.delete(callId);
    }
  }

  /** The message as the model sent it, or as VS Code has it. */
  original(message: Message): Message {
    const calls = parts(message).filter((part) => part.type === "toolCall");
    const kept = calls[0] && this.byCall.get(calls[0].callId);
    const same = kept && calls.every((call) => this.byCall.get(call.callId) === kept);
    return same ? kept : message;
  }
}

/** The messages for one of VS Code's: answers of tools are messages of their own. */
export function toProtocol(message: vscode.LanguageModelChatRequestMessage): Message[] {
  const said: Part[] = [];
  const answers: Part[] = [];
  for (const part of message.content) {
    if (part instanceof vscode.LanguageModelToolResultPart) {
      answers.push({ type: "toolResult", callId: part.callId, content: part.content.flatMap(content) });
    } else if (part instanceof vscode.LanguageModelToolCallPart) {
      const input = part.input as Record<string, unknown>;
      said.push({ type: "toolCall", callId: part.callId, name: part.name, arguments: input });
    } else {
      said.push(...content(part));
    }
  }
  const messages: Message[] = answers.length > 0 ? [{ role: "tool", content: answers }] : [];
  if (said.length > 0) messages.push({ role: role(message.role), content: said });
  return messages;
}

export function toTool(tool: vscode.LanguageModelChatTool): Tool {
  const inputSchema = tool.inputSchema as Record<string, unknown> | undefined;
  return { name: tool.name, description: tool.description, ...(inputSchema && { inputSchema }) };
}

/** What VS Code is given for an event; nothing for those that it has no part for. */
export function toVscode(event: ChatEvent): vscode.LanguageModelResponsePart | undefined {
  switch (event.type) {
    case "text.delta":
      return new vscode.LanguageModelTextPart(event.text);
    case "toolCall.completed":
      return new vscode.LanguageModelToolCallPart(event.call.callId, event.call.name, event.call.arguments);
    case "media.completed":
      if (!event.media.data) return new vscode.LanguageModelTextPart(event.media.url ?? "");
      return new vscode.LanguageModelDataPart(Buffer.from(event.media.data, "base64"), event.media.mimeType);
    default:
      return undefined;
  }
}

function parts(message: Message): Part[] {
  return typeof message.content === "string" ? [{ type: "text", text: message.content }] : message.content;
}

function role(role: vscode.LanguageModelChatMessageRole): Message["role"] {
  if (role === vscode.LanguageModelChatMessageRole.User) return "user";
  return role === vscode.LanguageModelChatMessageRole.Assistant ? "assistant" : "system";
}

/** What a person or a tool said. Data of other extensions' own types is not for models. */
function content(part: unknown): (TextPart | MediaPart)[] {
  if (part instanceof vscode.LanguageModelTextPart) return part.value ? [{ type: "text", text: part.value }] : [];
  if (!(part instanceof vscode.LanguageModelDataPart)) return [];
  const [kind] = part.mimeType.split("/");
  if (kind === "text" || part.mimeType === "application/json") {
    return [{ type: "text", text: Buffer.from(part.data).toString() }];
  }
  const type = kind === "image" || kind === "audio" ? kind : part.mimeType === "application/pdf" && "file";
  return type ? [{ type, mimeType: part.mimeType, data: Buffer.from(part.data).toString("base64") }] : [];
}
