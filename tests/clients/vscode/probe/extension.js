// What any extension can do with the models of Trunkline; writes what it saw to PROBE_FILE.
"use strict";
const fs = require("node:fs");
const vscode = require("vscode");

const TOOL = {
  name: "read_file",
  description: "Reads a file of the workspace.",
  inputSchema: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
};

async function collect(response, onPart = () => undefined) {
  const parts = [];
  for await (const part of response.stream) {
    parts.push(part);
    onPart();
  }
  return parts;
}

const text = (parts) => parts.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : "")).join("");

async function run() {
  const models = await vscode.lm.selectChatModels({ vendor: "trunkline" });
  const seen = { version: vscode.version, models: models.map(({ id, family, maxInputTokens }) => ({ id, family, maxInputTokens })) };
  const model = models.find(({ id }) => id === process.env.PROBE_MODEL);
  const slow = models.find(({ id }) => id === process.env.SLOW_MODEL);
  const question = vscode.LanguageModelChatMessage.User("What does notes.md say?");

  const calls = await collect(await model.sendRequest([question], { tools: [TOOL] }));
  const call = calls.find((part) => part instanceof vscode.LanguageModelToolCallPart);
  seen.call = { name: call.name, input: call.input };
  const result = new vscode.LanguageModelToolResultPart(call.callId, [new vscode.LanguageModelTextPart("# Buy milk\n")]);
  const answered = [vscode.LanguageModelChatMessage.Assistant([call]), vscode.LanguageModelChatMessage.User([result])];
  seen.answer = text(await collect(await model.sendRequest([question, ...answered], { tools: [TOOL] })));
  seen.tokens = await model.countTokens("one two three four");

  const cancel = new vscode.CancellationTokenSource();
  const cancelled = collect(await slow.sendRequest([question], {}, cancel.token), () => cancel.cancel());
  seen.cancelled = await cancelled.then(text, (error) => `${error}`);
  return seen;
}

exports.activate = (context) => {
  context.subscriptions.push(
    vscode.commands.registerCommand("probe.run", async () => {
      const seen = await run().catch((error) => ({ error: `${error.stack}` }));
      fs.writeFileSync(`${process.env.PROBE_FILE}.part`, JSON.stringify(seen));
      fs.renameSync(`${process.env.PROBE_FILE}.part`, process.env.PROBE_FILE);
      void vscode.window.showInformationMessage("The probe has ended.");
    }),
  );
};
