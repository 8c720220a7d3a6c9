// What a user does with the extension, and what they see. Each returns what the Python side looks at.
"use strict";
const fs = require("node:fs");

const never = (vscode) => new vscode.CancellationTokenSource().token;

const user = (vscode, ...content) => ({ role: vscode.LanguageModelChatMessageRole.User, content });

const list = (vscode) => vscode.test.provider.provideLanguageModelChatInformation({ silent: true }, never(vscode));

const withTools = (models) =>
  models.find((model) => model.id.startsWith("fastrouter/") && model.capabilities.toolCalling);

/** The parts that came, as plain objects with their class. */
async function respond(vscode, model, messages, options = {}, token = never(vscode), onPart = () => undefined) {
  const parts = [];
  const report = (part) => {
    parts.push(part);
    onPart(part);
  };
  const asked = { toolMode: vscode.LanguageModelChatToolMode.Auto, ...options };
  await vscode.test.provider.provideLanguageModelChatResponse(model, messages, asked, { report }, token);
  return parts;
}

const text = (vscode, parts) =>
  parts.filter((part) => part instanceof vscode.LanguageModelTextPart).map((part) => part.value).join("");

const failure = (promise) => promise.then(() => null, (error) => ({ code: error.code, message: error.message, kind: error.constructor.name }));

/** Sign in with a key typed in, as the user would. */
async function signIn(vscode) {
  const { test } = vscode;
  test.answers.pick = (items) => items.find((item) => item.provider?.providerId === "fastrouter") ?? items[0];
  test.answers.input = () => process.env.TEST_KEY;
  await vscode.commands.executeCommand("trunkline.signIn");
  test.answers = {};
}

/** One question to @trunkline: what it showed, and the result. */
async function ask(vscode, prompt, { history = [], references = [], token = never(vscode), model, onText } = {}) {
  const shown = { markdown: "", progress: [], buttons: [] };
  const stream = {
    markdown: (piece) => ((shown.markdown += piece), onText?.()),
    progress: (piece) => shown.progress.push(piece),
    reference: () => undefined,
    button: (button) => shown.buttons.push(button.command),
  };
  const result = await vscode.test.participant.handler({ prompt, references, model }, { history }, stream, token);
  return { ...shown, ...result };
}

const TOOL = {
  name: "read_file",
  description: "Reads a file of the workspace.",
  inputSchema: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
};

exports.languageModels = async (activate, vscode) => {
  await activate();
  const seen = { vendor: vscode.test.vendor, before: await list(vscode) };
  let refreshes = 0;
  vscode.test.provider.onDidChangeLanguageModelChatInformation(() => refreshes++);
  await signIn(vscode);
  await vscode.test.until(vscode.test.provider.onDidChangeLanguageModelChatInformation, () => refreshes > 0);
  seen.models = await list(vscode);

  const model = withTools(seen.models);
  const question = user(vscode, new vscode.LanguageModelTextPart("What does notes.md say?"));
  const calls = await respond(vscode, model, [question], { tools: [TOOL] });
  const call = calls.find((part) => part instanceof vscode.LanguageModelToolCallPart);
  seen.call = { ...call };
  const result = new vscode.LanguageModelToolResultPart(call.callId, [
    new vscode.LanguageModelTextPart("# Buy milk\n\nand bread"),
  ]);
  const conversation = [question, { role: vscode.LanguageModelChatMessageRole.Assistant, content: [call] }, user(vscode, result)];
  seen.answer = text(vscode, await respond(vscode, model, conversation, { tools: [TOOL] }));

  seen.tokens = await vscode.test.provider.provideTokenCount(model, "one two three four", never(vscode));
  seen.messageTokens = await vscode.test.provider.provideTokenCount(model, question, never(vscode));

  const cancel = new vscode.CancellationTokenSource();
  const slow = { id: process.env.SLOW_MODEL };
  seen.cancelled = text(vscode, await respond(vscode, slow, [question], {}, cancel.token, () => cancel.cancel()));
  seen.unknown = await failure(respond(vscode, { id: "fastrouter/no/such" }, [question]));
  seen.noKey = await failure(respond(vscode, { id: "openai/gpt-5-mini" }, [question]));
  return seen;
};

exports.images = async (activate, vscode) => {
  await activate();
  const role = vscode.LanguageModelChatMessageRole;
  const data = (bytes, mime) => new vscode.LanguageModelDataPart(Buffer.from(bytes), mime);
  const say = (value) => new vscode.LanguageModelTextPart(value);
  const callPart = new vscode.LanguageModelToolCallPart("c1", "look", { at: "it" });
  const parts = await respond(
    vscode,
    { id: process.env.SCRIPTED_MODEL },
    [
      { role: 3, content: [say("Be brief.")] },
      user(vscode, say("What is this?"), data("png", "image/png"), data("x", "cache_control"), data("{}", "application/json")),
      { role: role.Assistant, content: [callPart] },
      user(vscode, new vscode.LanguageModelToolResultPart("c1", [say("A cat."), data("jpg", "image/jpeg")]), say("Well?")),
    ],
    { toolMode: vscode.LanguageModelChatToolMode.Required, tools: [{ name: "look", description: "Looks." }], modelOptions: { temperature: 0.5 } },
  );
  return { text: text(vscode, parts) };
};

/** A model that wants its reasoning back with the calls it made. */
exports.reasoning = async (activate, vscode) => {
  await activate();
  const question = user(vscode, new vscode.LanguageModelTextPart("Look."));
  const model = { id: process.env.SCRIPTED_MODEL };
  const [call] = await respond(vscode, model, [question], { tools: [TOOL] });
  const result = new vscode.LanguageModelToolResultPart(call.callId, [new vscode.LanguageModelTextPart("seen")]);
  const conversation = [question, { role: vscode.LanguageModelChatMessageRole.Assistant, content: [call] }, user(vscode, result)];
  return { text: text(vscode, await respond(vscode, model, conversation, { tools: [TOOL] })) };
};

exports.participant = async (activate, vscode) => {
  const { test } = vscode;
  const [folder] = test.folders;
  const uri = vscode.Uri.file(`${folder.uri.fsPath}/notes.md`);
  test.documents = [{ uri, languageId: "markdown", version: 1, getText: () => process.env.UNSAVED, isClosed: false }];
  await activate();
  const picked = (id) => ({ vendor: "trunkline", id });
  const seen = { noKey: await ask(vscode, "Hello?", { model: picked("openai/gpt-5-mini") }) };
  await signIn(vscode);
  const model = picked(withTools(await list(vscode)).id);
  seen.first = await ask(vscode, "What does notes.md say?", { model, references: [{ value: uri }] });
  const history = [new vscode.ChatResponseTurn("trunkline.chat", seen.first)];
  seen.second = await ask(vscode, "Thank you.", { model: { vendor: "copilot", id: "other" }, history });

  const cancel = new vscode.CancellationTokenSource();
  const slow = picked(process.env.SLOW_MODEL);
  seen.cancelled = await ask(vscode, "Tell me.", { model: slow, token: cancel.token, onText: () => cancel.cancel() });

  test.answers.pick = (items) => items.find((item) => item.session.sessionId === seen.first.metadata.sessionId);
  await vscode.commands.executeCommand("trunkline.sessions");
  seen.transcript = test.document.getText();
  seen.continued = await ask(vscode, "And now?");

  test.answers = { pick: (items) => items[0], information: (_message, [copy]) => copy };
  await vscode.commands.executeCommand("trunkline.share");
  seen.copied = test.clipboard;

  test.answers = { pick: (items) => items[0] };
  await vscode.commands.executeCommand("trunkline.chooseModel");
  return seen;
};

exports.failures = async (activate, vscode) => {
  const { test } = vscode;
  const good = test.settings.path;
  test.settings.path = "/no/such/trunkline";
  await activate();
  const seen = { models: await list(vscode), stopped: { ...test.statusItem } };

  const reported = () => test.shown.filter(({ kind }) => kind === "error").length;
  test.change("path", process.env.BROKEN_SERVER);
  await test.until(test.onDidAct, () => reported() === 2);

  test.change("path", good);
  await test.until(test.onDidAct, () => test.contexts["trunkline.running"] === true);
  seen.running = { ...test.statusItem };

  // Killed by somebody: it comes back without being asked, and models are looked at anew; but not for ever.
  const pid = () => Number(fs.readFileSync(process.env.PID_FILE, "utf8"));
  const changed = test.provider.onDidChangeLanguageModelChatInformation;
  for (let restarts = 1; restarts <= 3; restarts++) {
    const before = pid();
    process.kill(before, "SIGKILL");
    await test.until(changed, () => pid() !== before);
    seen.afterKill = await list(vscode);
  }
  process.kill(pid(), "SIGKILL");
  await test.until(test.onDidAct, () => reported() === 3);
  seen.afterLast = await list(vscode);
  return seen;
};

/** A model that changes a buffer which is not saved: the user is asked, and VS Code makes the change. */
exports.edit = async (activate, vscode) => {
  const { test } = vscode;
  const [folder] = test.folders;
  const uri = vscode.Uri.file(`${folder.uri.fsPath}/notes.md`);
  test.documents = [{ uri, languageId: "markdown", version: 1, getText: () => process.env.UNSAVED, isClosed: false }];
  test.answers.warning = (_message, actions) => actions[0];
  await activate();
  const model = { vendor: "trunkline", id: process.env.SCRIPTED_MODEL };
  return { answer: await ask(vscode, "Change it.", { model }), edits: test.edits };
};

/** Sign in on a page, which somebody at the other end of `fetch` agrees to at once; and then on one that is left. */
exports.signInOnPage = async (activate, vscode) => {
  const { test } = vscode;
  await activate();
  const choose = (method) => (items) =>
    items.find((item) => item.provider?.providerId === "openrouter" || item.method === method);
  test.answers.pick = choose("browser");
  vscode.env.openExternal = async (uri) => (await fetch(uri.toString())).ok;
  await vscode.commands.executeCommand("trunkline.signIn");

  test.answers.pick = choose("device");
  vscode.env.openExternal = async () => true;
  test.answers.input = () => undefined; // no code
  await vscode.commands.executeCommand("trunkline.signIn");
  return {};
};

exports.attached = async (activate, vscode) => {
  await activate();
  return { models: await list(vscode), answer: await ask(vscode, "Hello?") };
};

/** The setting of the program, changed letter by letter. */
exports.hurried = async (activate, vscode) => {
  const { test } = vscode;
  await activate();
  const started = () => fs.readFileSync(process.env.PID_FILE, "utf8").trim().split("\n").length;
  const letters = [...test.settings.path];
  letters.forEach((_, count) => test.change("path", letters.slice(0, count + 1).join("")));
  await test.until(test.provider.onDidChangeLanguageModelChatInformation, () => started() > 1);
  const models = await list(vscode);
  return { models, started: started() };
};
