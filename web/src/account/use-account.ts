import { type Account, AccountNotFoundError } from "@settle/sdk";
import { useQuery } from "@tanstack/react-query";
import { keys } from "../live/order-cache.ts";
import { type Client, useClient } from "../session/client.ts";

/** Reads the account; null if there is none yet. */
export async function readAccount({ settle, userId }: Client): Promise<Account | null> {
  try {
    return await settle.payments.getAccount({ userId });
  } catch (error) {
    if (error instanceof AccountNotFoundError) return null;
    throw error;
  }
}

/** The account of whoever is signed in, as it was last read; `data` is null if there is none yet. */
export function useAccount() {
  const client = useClient();
  return useQuery({ queryKey: keys.account, queryFn: () => readAccount(client) });
}
