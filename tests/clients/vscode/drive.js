// Runs the bundled extension against the real server, with the fake of `vscode` beside this file (NODE_PATH).
// Arguments: the bundle, and the name of a scenario of scenarios.js. Prints what the scenario saw as JSON.
"use strict";
const vscode = require("vscode");
const scenarios = require("./scenarios.js");

async function main([bundle, name]) {
  const extension = require(bundle);
  const context = { subscriptions: [] };
  const { settings, folders } = JSON.parse(process.env.FAKE_VSCODE);
  vscode.test.settings = settings;
  vscode.test.folders = folders.map((path, index) => ({ uri: vscode.Uri.file(path), name: path, index }));
  const seen = await scenarios[name](() => extension.activate(context), vscode);
  for (const subscription of context.subscriptions) subscription.dispose();
  await extension.deactivate();
  const { shown, log, updates, contexts } = vscode.test;
  const text = JSON.stringify({ ...seen, shown, log, updates, contexts });
  await new Promise((written) => process.stdout.write(text, written));
}

function fail(why) {
  console.error(why, vscode.test.shown, vscode.test.log);
  process.exit(1);
}

process.on("SIGTERM", () => fail("The scenario did not end."));
main(process.argv.slice(2)).then(() => process.exit(0), fail);
