// A complete client of Trunkline with vscode-jsonrpc: client.ts MODEL QUESTION
import { spawn } from "node:child_process";
import {
  createMessageConnection,
  ProgressType,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";

/** One value of `$/progress`; docs/protocol.md lists the events, and types for all of them can be installed. */
interface ChatEvent {
  type: string;
  text?: string;
}

interface ChatResult {
  usage?: { inputTokens: number; outputTokens: number };
  cost?: { amount: number; currency: string };
}

async function main(model: string, question: string): Promise<void> {
  const server = spawn("trunkline", ["--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  const connection = createMessageConnection(
    new StreamMessageReader(server.stdout),
    new StreamMessageWriter(server.stdin),
  );
  connection.listen();

  await connection.sendRequest("initialize", { processId: process.pid, rootUri: null, capabilities: {} });
  await connection.sendNotification("initialized", {});

  connection.onProgress(new ProgressType<ChatEvent>(), "answer", (event) => {
    if (event.type === "text.delta") process.stdout.write(event.text ?? "");
  });
  try {
    // The third argument of sendRequest may be a cancellation token: cancelling it stops the answer.
    const answer = await connection.sendRequest<ChatResult>("chat/stream", {
      model,
      messages: [{ role: "user", content: question }],
      partialResultToken: "answer",
    });
    console.log(`\n${answer.usage?.outputTokens} tokens, ${answer.cost?.amount ?? "?"} USD`);
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    // `hint` says what the person can do: set a key, choose another model, wait.
    const data = error.data as { hint?: string } | undefined;
    console.error(error.message, data?.hint ?? "");
    process.exitCode = 1;
  }

  await connection.sendRequest("shutdown");
  await connection.sendNotification("exit");
  connection.dispose();
}

const [model, question] = process.argv.slice(2);
void main(model, question);
