/** How current the displayed data is. */
export type FeedState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Disconnected; the next attempt is at `untilMs` (since 1970). */
  | { readonly kind: "reconnecting"; readonly untilMs: number }
  /** The watch brings nothing although calls succeed: the data is read again from time to time. */
  | { readonly kind: "polling" }
  /** Ended for good, or until the user signs in again. */
  | { readonly kind: "ended"; readonly why: "session" | "refused" };
