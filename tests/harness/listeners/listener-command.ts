import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TestBroker } from "@settle/chassis/testing";

const run = promisify(execFile);
const program = fileURLToPath(new URL("../../../tools/listener/main.ts", import.meta.url));

/**
 * Runs `npm run listener` on the virtual host of a test; resolves with its output. Rejects with its
 * `stderr` if it fails.
 */
export async function runListener(
  broker: TestBroker,
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const { TEST_AMQP_URL, TEST_RABBITMQ_MANAGEMENT_URL } = process.env;
  return run(process.execPath, [program, ...args, "--vhost", broker.vhost], {
    env: {
      ...process.env,
      AMQP_URL: TEST_AMQP_URL,
      RABBITMQ_MANAGEMENT_URL: TEST_RABBITMQ_MANAGEMENT_URL,
    },
  });
}
