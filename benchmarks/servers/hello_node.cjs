// A bare server on vscode-languageserver as shipped; the path of its package is the argument.

const { createConnection, ProposedFeatures, StreamMessageReader, StreamMessageWriter } = require(process.argv[2]);

const connection = createConnection(
  ProposedFeatures.all,
  new StreamMessageReader(process.stdin),
  new StreamMessageWriter(process.stdout),
);
connection.onInitialize(() => ({ capabilities: {} }));
connection.onRequest("hello/list", () => ({ items: [] }));
connection.listen();
