/** How current what is shown is. */
export type FeedState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Cut; tried again at `untilMs` (since 1970). */
  | { readonly kind: "reconnecting"; readonly untilMs: number }
  /** Nothing more comes: only signing in again helps, or nothing does. */
  | { readonly kind: "ended"; readonly why: "session" | "refused" };
