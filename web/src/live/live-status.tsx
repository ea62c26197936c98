import { useEffect, useState, useSyncExternalStore } from "react";
import { useLanguage } from "../i18n/language.tsx";
import { useClient } from "../session/client.ts";
import { useNow } from "../time/use-now.ts";
import type { FeedState } from "./feed.ts";

/** Says how current everything is, and lets one do something about it where that helps. */
export function LiveStatus({ onSignIn }: { onSignIn(): void }) {
  const { m } = useLanguage();
  const { feed } = useClient();
  const [state, setState] = useState<FeedState>(feed.state);
  useEffect(() => {
    setState(feed.state);
    return feed.listen({ onState: setState });
  }, [feed]);
  const isOnline = useSyncExternalStore(followOnline, () => navigator.onLine);
  const isWaiting = isOnline && state.kind === "reconnecting";
  const nowMs = useNow(isWaiting ? 1_000 : 0);

  const kind = isOnline || state.kind === "ended" ? state.kind : "offline";
  const seconds = state.kind === "reconnecting" ? Math.ceil((state.untilMs - nowMs) / 1_000) : 0;
  return (
    <section className={`live live-${kind}`} aria-label={m.live.label}>
      <span className="live-dot" aria-hidden="true" />
      {/* Counting down aloud would chatter: only what it is gets told. */}
      <span className="hidden" role="status">
        {textOf(kind)}
      </span>
      <span aria-hidden="true">
        {kind === "reconnecting" && seconds > 0 ? m.live.reconnectingIn(seconds) : textOf(kind)}
      </span>
      {kind === "reconnecting" && (
        <button type="button" className="text" onClick={() => feed.retryNow()}>
          {m.live.retry}
        </button>
      )}
      {state.kind === "ended" && state.why === "session" && (
        <button type="button" className="text" onClick={onSignIn}>
          {m.live.signIn}
        </button>
      )}
    </section>
  );

  function textOf(shown: typeof kind): string {
    if (shown === "ended")
      return state.kind === "ended" && state.why === "session" ? m.live.session : m.live.refused;
    return m.live[shown];
  }
}

function followOnline(listen: () => void): () => void {
  addEventListener("online", listen);
  addEventListener("offline", listen);
  return () => {
    removeEventListener("online", listen);
    removeEventListener("offline", listen);
  };
}
