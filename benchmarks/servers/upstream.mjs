// A provider on loopback that sends deltas at a steady pace, each with the moment in which it was sent. In
// JavaScript, because Python is at its limit before the servers that are measured are. Prints its port.
//
// The model's id says how many deltas a second and how many in all: `50x500`; `0x500` is as fast as the socket
// takes them. Streams begin at different moments of the interval, as real ones do. `/responses` has the events
// of that wire, every other path those of chat completions.

import { createServer } from "node:http";

const MODELS = JSON.stringify({
  object: "list",
  data: Array.from({ length: 20 }, (_, number) => ({ id: `talker-${number}`, object: "model", owned_by: "bench" })),
});
const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const FLOOD_PIECE = 50;

// How a wire writes its events: what comes before the deltas, a delta, and the end after so much text.
const chatCompletions = {
  begin: () => "",
  delta: (text) => chunk({ content: text }),
  end: () => `${chunk({}, "stop")}data: [DONE]\n\n`,
};
const responses = {
  begin: () => named("created", { response: RESPONSE }) + named("output_item.added", { output_index: 0, item: item("") }),
  delta: (text) => named("output_text.delta", { item_id: "m1", output_index: 0, content_index: 0, delta: text }),
  end: (text) => {
    const done = named("output_item.done", { output_index: 0, item: item(text, "completed") });
    const usage = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
    return done + named("completed", { response: { ...RESPONSE, status: "completed", output: [item(text, "completed")], usage } });
  },
};
const RESPONSE = { id: "r1", object: "response", created_at: 1, status: "in_progress", model: "m", output: [] };

function chunk(delta, finish = null) {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  const head = { id: "r1", object: "chat.completion.chunk", created: 1, model: "m", choices };
  return `data: ${JSON.stringify(finish ? { ...head, usage: USAGE } : head)}\n\n`;
}

function named(name, fields) {
  const type = `response.${name}`;
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function item(text, status = "in_progress") {
  const content = text ? [{ type: "output_text", text, annotations: [] }] : [];
  return { id: "m1", type: "message", role: "assistant", status, content };
}

// Monotonic nanoseconds: the clock that the reader looks at as well.
const moment = () => `${process.hrtime.bigint()} `;

function flood(response, wire, count) {
  let text = "";
  let left = count;
  const more = () => {
    while (left > 0) {
      const piece = Math.min(left, FLOOD_PIECE);
      const now = moment();
      left -= piece;
      text += now.repeat(piece);
      if (!response.write(wire.delta(now).repeat(piece))) {
        response.once("drain", more);
        return;
      }
    }
    response.end(wire.end(text));
  };
  more();
}

function pace(response, wire, interval, count) {
  const begun = performance.now() + Math.random() * interval;
  let sent = 0;
  let text = "";
  const tick = () => {
    if (response.destroyed) return;
    while (sent < count && performance.now() >= begun + sent * interval) {
      const now = moment();
      response.write(wire.delta(now));
      text += now;
      sent += 1;
    }
    if (sent === count) response.end(wire.end(text));
    else setTimeout(tick, begun + sent * interval - performance.now());
  };
  tick();
}

function answer(path, body, response) {
  const asked = JSON.parse(body);
  const [rate, count] = String(asked.model).split("x").map(Number);
  if (!asked.stream) {
    response.setHeader("Content-Type", "application/json");
    const message = { role: "assistant", content: "Hello. ".repeat(count || 1) };
    const choices = [{ index: 0, message, finish_reason: "stop" }];
    response.end(JSON.stringify({ id: "r1", object: "chat.completion", created: 1, model: "m", choices, usage: USAGE }));
    return;
  }
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  response.socket.setNoDelay(true);
  const wire = path.endsWith("/responses") ? responses : chatCompletions;
  if (wire.begin()) response.write(wire.begin());
  if (rate) pace(response, wire, 1000 / rate, count);
  else flood(response, wire, count || 5);
}

const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.setHeader("Content-Type", "application/json");
    response.end(MODELS);
    return;
  }
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => answer(request.url, Buffer.concat(pieces).toString(), response));
});
server.keepAliveTimeout = 60_000;
server.listen({ port: 0, host: "127.0.0.1", backlog: 1000 }, () => console.log(server.address().port));
