// A provider on loopback that sends deltas at a steady pace, each with the moment in which it was sent. In
// JavaScript, because Python is at its limit before the servers that are measured are. Prints its port.
//
// The model's id says how many deltas a second and how many in all: `50x500`; `0x500` is as fast as the socket
// takes them. Streams begin at different moments of the interval, as real ones do.

import { createServer } from "node:http";

const MODELS = JSON.stringify({
  object: "list",
  data: Array.from({ length: 20 }, (_, number) => ({ id: `talker-${number}`, object: "model", owned_by: "bench" })),
});
const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const FLOOD_PIECE = 50;

function event(delta, finish = null) {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  const chunk = { id: "r1", object: "chat.completion.chunk", created: 1, model: "m", choices };
  return `data: ${JSON.stringify(finish ? { ...chunk, usage: USAGE } : chunk)}\n\n`;
}

// Monotonic nanoseconds: the clock that the reader looks at as well.
const stamped = () => event({ content: `${process.hrtime.bigint()} ` });

function end(response) {
  response.end(`${event({}, "stop")}data: [DONE]\n\n`);
}

function flood(response, left) {
  while (left > 0) {
    const piece = Math.min(left, FLOOD_PIECE);
    left -= piece;
    if (!response.write(stamped().repeat(piece))) {
      response.once("drain", () => flood(response, left));
      return;
    }
  }
  end(response);
}

function pace(response, interval, count) {
  const begun = performance.now() + Math.random() * interval;
  let sent = 0;
  const tick = () => {
    if (response.destroyed) return;
    while (sent < count && performance.now() >= begun + sent * interval) {
      response.write(stamped());
      sent += 1;
    }
    if (sent === count) end(response);
    else setTimeout(tick, begun + sent * interval - performance.now());
  };
  tick();
}

function answer(body, response) {
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
  if (rate) pace(response, 1000 / rate, count);
  else flood(response, count || 5);
}

const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.setHeader("Content-Type", "application/json");
    response.end(MODELS);
    return;
  }
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => answer(Buffer.concat(pieces).toString(), response));
});
server.keepAliveTimeout = 60_000;
server.listen({ port: 0, host: "127.0.0.1", backlog: 1000 }, () => console.log(server.address().port));
