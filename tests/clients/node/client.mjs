// Drives `trunkline --stdio` with vscode-jsonrpc and vscode-languageserver-protocol, as VS Code would.
// Arguments: the server's command line. Environment: TEST_KEY, the key to store.
// Prints one JSON object with everything it saw; any failure is an exit code other than 0.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const {
  CancellationTokenSource,
  createProtocolConnection,
  InitializeRequest,
  InitializedNotification,
  ProgressType,
  ShutdownRequest,
  ExitNotification,
  StreamMessageReader,
  StreamMessageWriter,
} = require("vscode-languageserver-protocol/node");

const [command, ...args] = process.argv.slice(2);
const server = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
const exited = new Promise((resolve) => server.on("exit", resolve));
const connection = createProtocolConnection(
  new StreamMessageReader(server.stdout),
  new StreamMessageWriter(server.stdin),
);
const unexpected = [];
connection.onUnhandledNotification((message) => unexpected.push(message.method));
connection.listen();

const events = new ProgressType();
const progress = (token, seen, onFirst) => {
  const listener = connection.onProgress(events, token, (event) => {
    seen.push(event);
    if (seen.length === 1) onFirst?.();
  });
  return () => listener.dispose();
};

const seen = {};
const initialized = await connection.sendRequest(InitializeRequest.type, {
  processId: process.pid,
  rootUri: null,
  capabilities: { experimental: { trunkline: { versions: ["1.0"] } } },
});
seen.experimental = initialized.capabilities.experimental;
await connection.sendNotification(InitializedNotification.type, {});

seen.before = (await connection.sendRequest("provider/list", {})).providers.find((p) => p.providerId === "fastrouter");
seen.stored = await connection.sendRequest("auth/set", { providerId: "fastrouter", secret: process.env.TEST_KEY });
seen.keys = await connection.sendRequest("auth/list", { providerId: "fastrouter" });
const models = await connection.sendRequest("model/list", { providerIds: ["fastrouter"] });
seen.models = models.models;
const model = models.models.find((candidate) => candidate.capabilities.tools).model;

const question = { role: "user", content: "What does notes.md say?" };
const tools = [
  {
    name: "read_file",
    description: "Reads a file of the workspace.",
    inputSchema: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
  },
];
seen.firstLeg = [];
let done = progress("first", seen.firstLeg);
seen.firstResult = await connection.sendRequest("chat/stream", {
  model,
  messages: [question],
  tools,
  partialResultToken: "first",
});
done();
const message = seen.firstLeg.at(-1).message;
const call = message.content.find((part) => part.type === "toolCall");
const toolResult = {
  type: "toolResult",
  callId: call.callId,
  content: [{ type: "text", text: "# Buy milk\n\nand bread" }],
};
seen.secondLeg = [];
done = progress("second", seen.secondLeg);
seen.secondResult = await connection.sendRequest("chat/stream", {
  model,
  messages: [question, message, { role: "tool", content: [toolResult] }],
  tools,
  partialResultToken: "second",
});
done();

// The slow model never finishes its answer: cancel it after its first event.
const cancel = new CancellationTokenSource();
seen.cancelledLeg = [];
done = progress(3, seen.cancelledLeg, () => cancel.cancel());
seen.cancelled = await connection.sendRequest(
  "chat/stream",
  { model: process.env.SLOW_MODEL, messages: [question], partialResultToken: 3 },
  cancel.token,
);
done();

seen.unknown = await connection.sendRequest("no/such/method", {}).then(
  () => null,
  (error) => ({ code: error.code, data: error.data }),
);
seen.removed = await connection.sendRequest("auth/remove", { providerId: "fastrouter" });
seen.missing = await connection.sendRequest("chat/stream", { model, messages: [question] }).then(
  () => null,
  (error) => ({ code: error.code, message: error.message, data: error.data }),
);
seen.unexpected = unexpected;
await connection.sendRequest(ShutdownRequest.type);
await connection.sendNotification(ExitNotification.type);
seen.exitCode = await exited;
process.stdout.write(JSON.stringify(seen));
