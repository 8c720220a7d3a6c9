// The same as floor_asyncio.py on Node's own http client: read, split, parse, write as frames.

import { Agent, request } from "node:http";

const port = Number(process.argv[2]);
const agent = new Agent({ keepAlive: true });

function send(message) {
  const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
  process.stdout.write(Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]));
}

function chat(id, params) {
  const asked = request({ port, host: "127.0.0.1", path: "/v1/chat/completions", method: "POST", agent }, (answer) => {
    let rest = "";
    answer.setEncoding("utf8");
    answer.on("data", (piece) => {
      const events = (rest + piece).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        if (!event.startsWith("data: {")) continue;
        const text = JSON.parse(event.slice(6)).choices[0].delta.content ?? "";
        send({ method: "$/progress", params: { token: id, value: { type: "text.delta", text } } });
      }
    });
    answer.on("end", () => send({ id, result: {} }));
  });
  asked.end(JSON.stringify({ ...params, stream: true }));
}

let waiting = Buffer.alloc(0);
process.stdin.on("data", (piece) => {
  waiting = Buffer.concat([waiting, piece]);
  for (;;) {
    const head = waiting.indexOf("\r\n\r\n");
    if (head < 0) return;
    const end = head + 4 + Number(/content-length: *(\d+)/i.exec(waiting.toString("latin1", 0, head))[1]);
    if (waiting.length < end) return;
    const message = JSON.parse(waiting.toString("utf8", head + 4, end));
    waiting = waiting.subarray(end);
    if (message.method === "initialize") send({ id: message.id, result: { capabilities: {} } });
    else if (message.method === "chat/stream") chat(message.id, message.params);
  }
});
process.stdin.on("end", () => process.exit(0));
