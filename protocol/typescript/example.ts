// Starts the server, asks the default model what the arguments say, and prints the answer as it comes.
import { spawn } from "node:child_process";
import {
  createMessageConnection,
  ProgressType,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import type { ChatEvent, ClientTrunkline, Requests } from "trunkline-protocol";

const [command = "trunkline", ...question] = process.argv.slice(2);
const server = spawn(command, ["--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
const connection = createMessageConnection(
  new StreamMessageReader(server.stdout),
  new StreamMessageWriter(server.stdin),
);
connection.listen();

function ask<M extends keyof Requests>(
  method: M,
  params: Requests[M]["params"],
): Promise<Requests[M]["result"]> {
  return connection.sendRequest(method, params);
}

async function main(): Promise<void> {
  const trunkline: ClientTrunkline = { versions: ["1.0"] };
  await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    capabilities: { experimental: { trunkline } },
  });
  await connection.sendNotification("initialized", {});

  const { defaultModel } = await ask("model/list", { limit: 1 });
  if (defaultModel === undefined) {
    throw new Error("There is no model yet: `trunkline auth login PROVIDER` stores a key.");
  }
  connection.onProgress(new ProgressType<ChatEvent>(), "answer", (event) => {
    if (event.type === "text.delta") process.stdout.write(event.text);
  });
  const result = await ask("chat/stream", {
    model: defaultModel,
    messages: [{ role: "user", content: question.join(" ") }],
    partialResultToken: "answer",
  });
  const cost = result.cost ? `, ${result.cost.amount} ${result.cost.currency}` : "";
  process.stdout.write(`\n${result.model}: ${result.usage?.outputTokens ?? "?"} tokens${cost}\n`);

  await connection.sendRequest("shutdown");
  await connection.sendNotification("exit");
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  server.kill();
  process.exitCode = 1;
});
