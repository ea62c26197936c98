import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { findFreePorts } from "../tools/local/ports.ts";

const program = fileURLToPath(new URL("../examples/payment-listener/main.ts", import.meta.url));

/** A process of examples/payment-listener. */
export type Listening = AsyncDisposable & {
  /** What it has said so far, line by line. */
  readonly said: readonly string[];
  /** Resolves once it has said something that matches, for the `count`-th time; rejects at its end. */
  says(pattern: RegExp, count?: number): Promise<void>;
  /** Sends it a signal and resolves with its exit code; null where the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
};

/** Starts the listener; disposing kills it if it is still there. */
export function startListening(url: string, args: readonly string[]): Listening {
  const child: ChildProcess = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, AMQP_URL: url },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const said: string[] = [];
  const waiting = new Set<() => void>();
  let rest = "";
  child.stderr?.on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    said.push(...lines);
    for (const look of waiting) look();
  });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  return {
    said,
    end,
    says(pattern, count = 1) {
      const heard = new Promise<void>((resolve) => {
        const look = () => {
          if (said.filter((line) => pattern.test(line)).length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
      const tooSoon = exited.then((code) => {
        throw new Error(`it ended with ${code} before it said ${pattern}:\n${said.join("\n")}`);
      });
      return Promise.race([heard, tooSoon]);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await end("SIGKILL");
    },
  };
}

/** A way to a server that can be cut. */
export type Link = AsyncDisposable & {
  /** The server's URL by this way. */
  readonly url: string;
  /** Breaks what is connected now. */
  cut(): void;
};

/** Opens a way to the server that `url` names, on a free port of loopback. */
export async function openLink(url: string): Promise<Link> {
  const target = new URL(url);
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect({ host: target.hostname, port: Number(target.port) });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => open.delete(one));
      one.pipe(other);
    }
  });
  const [port = 0] = await findFreePorts(1);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  const by = new URL(url);
  by.hostname = "127.0.0.1";
  by.port = String(port);
  return {
    url: by.href,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
