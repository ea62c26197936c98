import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(
  new URL("../../../examples/payment-listener/main.ts", import.meta.url),
);

/** A process of examples/payment-listener. */
export type Listening = AsyncDisposable & {
  /** The lines of its output so far. */
  readonly said: readonly string[];
  /** Resolves when the `count`-th matching line is printed; rejects if the process exits first. */
  says(pattern: RegExp, count?: number): Promise<void>;
  /** Sends it a signal and resolves with its exit code; null if the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
};

/** Starts the listener; disposing kills it if it is still running. */
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
        throw new Error(`it exited with ${code} before it printed ${pattern}:\n${said.join("\n")}`);
      });
      return Promise.race([heard, tooSoon]);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await end("SIGKILL");
    },
  };
}
