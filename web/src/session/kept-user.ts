import { followKept } from "../browser/follow-kept.ts";
import { keptByBrowser } from "../browser/kept.ts";

const key = "settle.user";

/** Returns who is signed in with this browser, in this tab before a reload or in another one. */
export function keptUser(): string | undefined {
  return keptByBrowser.get(key);
}

/** Lets a reload, and other tabs, sign in as this user: by the name, or silently at the provider. */
export function keepUser(userId: string): void {
  keptByBrowser.set(key, userId);
}

/** Signs all tabs of this browser out. */
export function forgetUser(): void {
  keptByBrowser.remove(key);
}

/** Calls the listener when another tab signs in or out; returns how to stop. */
export function followUser(listener: (userId: string | undefined) => void): () => void {
  return followKept(key, listener);
}
