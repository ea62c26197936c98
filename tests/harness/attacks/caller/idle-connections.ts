import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { callerAttack } from "../attack.ts";
import { hold } from "./lanes.ts";

const rampEvery = 100;
const rampMs = 20;

/** Connections of one address that send nothing. Those that are closed are opened again, once. */
export const idleConnections = callerAttack({
  name: "idle-connections",
  full: { seconds: 20, connections: 4_100 },
  short: { seconds: 2, connections: 4_100 },
  size: ({ connections }) => `${connections} idle connections of one address`,
  async run({ port, address }, { connections }, signal) {
    const open = new Set<Socket>();
    let attempts = 0;
    const add = () => {
      attempts += 1;
      const socket = connect({ host: "127.0.0.1", port, localAddress: address });
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => open.delete(socket));
    };
    for (let round = 0; round < 2; round += 1) {
      while (open.size < connections && attempts < connections * (round + 1)) {
        add();
        if (attempts % rampEvery === 0) await pause(rampMs);
      }
    }
    await hold(signal);
    const held = open.size;
    for (const socket of open) socket.destroy();
    return { attempts, "held at the end": held };
  },
});
