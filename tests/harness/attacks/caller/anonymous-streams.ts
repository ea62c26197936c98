import { setTimeout as pause } from "node:timers/promises";
import { callerAttack } from "../attack.ts";
import { openSession, send, statusOf, streamsPerConnection } from "../http2-session.ts";
import { enveloped } from "../requests.ts";
import { hold } from "./lanes.ts";

const rampMs = 20;
const bundle = /src="([^"]*bundle[^"]*\.js)"/;
const docsPath = "/swagger/docs";
/** A request of the reflection service: list_services (7), any text. */
const listServices = Buffer.of(0x3a, 0x01, 0x2a);

/** Readers of the largest file of the documents who take its first bytes and nothing more. */
export const slowDocs = callerAttack({
  name: "slow-docs",
  full: { seconds: 20, connections: 11 },
  short: { seconds: 2, connections: 6 },
  size: ({ connections }) =>
    `${connections} × ${streamsPerConnection} readers of the documents' bundle stall`,
  async run(target, { connections }, signal) {
    const html = await (await fetch(`http://127.0.0.1:${target.port}${docsPath}`)).text();
    const [, file = "swagger-ui-bundle.js"] = bundle.exec(html) ?? [];
    const path = new URL(file, `http://edge${docsPath}`).pathname;
    return holdStreams(target, connections, signal, (session) =>
      send(session, { headers: { ":method": "GET", ":path": path }, body: undefined }),
    );
  },
});

/** Reflection streams that stay open. */
export const reflectionStreams = callerAttack({
  name: "reflection-streams",
  full: { seconds: 20, connections: 45 },
  short: { seconds: 2, connections: 15 },
  size: ({ connections }) => `${connections} × ${streamsPerConnection} open reflection streams`,
  run: (target, { connections }, signal) =>
    holdStreams(target, connections, signal, (session) => {
      const stream = session.request(
        {
          ":method": "POST",
          ":path": "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
          "content-type": "application/grpc",
          te: "trailers",
        },
        { endStream: false },
      );
      stream.on("error", () => {});
      stream.write(enveloped(listServices));
      return stream;
    }),
});

async function holdStreams(
  target: Parameters<typeof openSession>[0],
  connections: number,
  signal: AbortSignal,
  open: (session: ReturnType<typeof openSession>) => ReturnType<typeof send>,
) {
  const sessions = [];
  const statuses: Promise<number | undefined>[] = [];
  let held = 0;
  for (let made = 0; made < connections; made += 1) {
    const session = openSession(target);
    sessions.push(session);
    for (let one = 0; one < streamsPerConnection; one += 1) {
      const stream = open(session);
      held += 1;
      stream.on("close", () => {
        held -= 1;
      });
      statuses.push(statusOf(stream));
    }
    await pause(rampMs);
  }
  await hold(signal);
  const heldAtEnd = held;
  for (const session of sessions) session.destroy();
  const refused = (await Promise.all(statuses)).filter((status) => status !== 200).length;
  return {
    opened: statuses.length,
    "not answered with 200": refused,
    "held at the end": heldAtEnd,
  };
}
