import type { EdgeClient } from "./edge-client.ts";

const userIdPrefix = "bench-";
const depositMinor = 1_000_000_000_000;
const maxOrderMinor = 100;
const currency = "USD";
const connections = 64;

/** What is sent to the system; every answer but OK throws. */
export type Load = {
  /** How many orders were answered with OK so far. */
  readonly accepted: number;
  readonly accountsCreated: number;
  /** Creates all the accounts and puts more into each than will ever be spent. */
  createAccounts(): Promise<void>;
  /** Places a small order of a random account and returns its id. */
  placeOrder(): Promise<string>;
};

/** Makes the load generator: it runs inside this process, within the same CPUs as the system. */
export function createLoad(options: {
  readonly edge: EdgeClient;
  readonly accounts: number;
}): Load {
  const { edge, accounts } = options;
  let begun = 0;
  let accepted = 0;
  const random = (below: number) => Math.floor(Math.random() * below);
  const post = async (path: string, body: unknown): Promise<string> => {
    const answer = await edge.post(path, JSON.stringify(body));
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}`);
    return answer.body;
  };
  return {
    get accepted() {
      return accepted;
    },
    get accountsCreated() {
      return begun;
    },
    async createAccounts() {
      const lane = async () => {
        while (begun < accounts) {
          const userId = `${userIdPrefix}${begun}`;
          begun += 1;
          await post("/gateway/payments/accounts", { userId, currency });
          const amount = { minorUnits: depositMinor, currency };
          await post(`/gateway/payments/accounts/${userId}:deposit`, { amount });
        }
      };
      await Promise.all(Array.from({ length: connections }, lane));
    },
    async placeOrder() {
      const body = await post("/gateway/orders", {
        userId: `${userIdPrefix}${random(accounts)}`,
        amount: { minorUnits: 1 + random(maxOrderMinor), currency },
        description: "two tickets",
      });
      accepted += 1;
      return /"id":"([0-9a-f-]{36})"/.exec(body)?.[1] ?? "";
    },
  };
}
