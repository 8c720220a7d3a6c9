// A session whose model works with the libraries under VS Code's clients; a buffer is theirs as well.
// support/editor_tools.py says what TRUNKLINE_TEST_PLAN holds and what is printed.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
const {
  ApplyWorkspaceEditRequest,
  createProtocolConnection,
  DidChangeTextDocumentNotification,
  DidOpenTextDocumentNotification,
  ExitNotification,
  InitializeRequest,
  InitializedNotification,
  ShutdownRequest,
  StreamMessageReader,
  StreamMessageWriter,
} = require("vscode-languageserver-protocol/node");
const { TextDocument } = require("vscode-languageserver-textdocument");

const plan = JSON.parse(process.env.TRUNKLINE_TEST_PLAN);
setTimeout(() => {
  console.error("gave up");
  process.exit(1);
}, plan.patienceMs).unref();

const [command, ...args] = plan.server;
const server = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
const exited = new Promise((resolve) => server.on("exit", resolve));
const connection = createProtocolConnection(
  new StreamMessageReader(server.stdout),
  new StreamMessageWriter(server.stdin),
);

const uri = pathToFileURL(plan.file).href;
const seen = { permissions: [] };
let document;
const undo = [];
const change = async (edits) => {
  const contentChanges = [...edits]
    .sort((a, b) => document.offsetAt(b.range.start) - document.offsetAt(a.range.start))
    .map(({ range, newText }) => ({ range, text: newText }));
  undo.push(document.getText());
  TextDocument.update(document, contentChanges, document.version + 1);
  await connection.sendNotification(DidChangeTextDocumentNotification.type, {
    textDocument: { uri, version: document.version },
    contentChanges,
  });
};

connection.onRequest(ApplyWorkspaceEditRequest.type, async ({ edit }) => {
  const [{ textDocument, edits }] = edit.documentChanges;
  if (textDocument.uri !== uri || textDocument.version !== document.version) return { applied: false };
  await change(edits);
  return { applied: true };
});
connection.onRequest("permission/request", ({ subject, options }) => {
  seen.permissions.push(subject);
  return { outcome: "selected", optionId: options[0].optionId };
});
const ended = new Promise((resolve) =>
  connection.onNotification("session/event", (event) => {
    if (event.type === "turn.completed") resolve(event.status);
  }),
);
connection.listen();

const initialized = await connection.sendRequest(InitializeRequest.type, {
  processId: process.pid,
  rootUri: null,
  workspaceFolders: [{ uri: pathToFileURL(plan.folder).href, name: "project" }],
  capabilities: {
    general: { positionEncodings: ["utf-16"] },
    workspace: { applyEdit: true, workspaceEdit: { documentChanges: true } },
    experimental: { trunkline: { versions: ["1.0"], events: true, permissions: {} } },
  },
});
if (!initialized.capabilities.textDocumentSync.openClose) throw new Error("buffers are not asked for");
await connection.sendNotification(InitializedNotification.type, {});

document = TextDocument.create(uri, "plaintext", 1, readFileSync(plan.file, "utf8"));
await connection.sendNotification(DidOpenTextDocumentNotification.type, {
  textDocument: { uri, languageId: "plaintext", version: 1, text: document.getText() },
});
const start = { line: 0, character: 0 };
await change([{ range: { start, end: start }, newText: plan.typed }]);

const { session } = await connection.sendRequest("session/create", { model: plan.model, title: "Tools" });
await connection.sendRequest("session/prompt", {
  sessionId: session.sessionId,
  requestKey: "one",
  input: [{ type: "text", text: "Translate the notes." }],
});
seen.status = await ended;
seen.edited = document.getText();
seen.undone = undo.pop();

await connection.sendRequest(ShutdownRequest.type);
await connection.sendNotification(ExitNotification.type);
seen.exitCode = await exited;
console.log(JSON.stringify(seen));
process.exit(0);
