import type { HandlerContext } from "@connectrpc/connect";

const preferHeader = "prefer";
const appliedHeader = "preference-applied";
const longestWaitS = 10;
/** What is left of a call's time for the answer itself. */
const marginMs = 250;

/**
 * Reads `Prefer: wait=5` (RFC 7240; header or metadata), says in the answer that it was applied, and
 * returns for how many milliseconds: at most ten seconds, and less where the call has less time.
 * Returns 0 where the caller prefers nothing or nothing that is understood, which is no error.
 */
export function preferredWaitMs({
  requestHeader,
  responseHeader,
  timeoutMs,
}: Pick<HandlerContext, "requestHeader" | "responseHeader" | "timeoutMs">): number {
  const preferences = requestHeader.get(preferHeader);
  const [, seconds] =
    /(?:^|[,;\s])wait *= *"?(\d{1,6})"?(?=$|[,;\s])/i.exec(preferences ?? "") ?? [];
  const waitS = Math.min(Number(seconds ?? 0), longestWaitS);
  if (waitS === 0) return 0;
  responseHeader.set(appliedHeader, `wait=${waitS}`);
  return Math.max(0, Math.min(waitS * 1_000, (timeoutMs() ?? Infinity) - marginMs));
}
