import { type RefObject, useEffect, useRef, useState } from "react";
import { useFocusHeir } from "../design/use-focus-heir.ts";
import { useLanguage } from "../i18n/language.tsx";
import { useClient } from "../session/client.ts";
import { useAway } from "../session/use-away.ts";
import { useNow } from "../time/use-now.ts";
import type { FeedState } from "./feed-state.ts";

/** Shows how current the data is, with a button to retry or sign in if that helps. */
export function LiveStatus({ onSignIn }: { onSignIn(): void }) {
  const { m } = useLanguage();
  const { feed } = useClient();
  const place = useRef<HTMLElement>(null);
  const [state, setState] = useState<FeedState>(feed.state);
  useEffect(() => {
    setState(feed.state);
    return feed.listen({ onState: setState });
  }, [feed]);
  const isReached = !useAway().has("network");
  const isWaiting = isReached && state.kind === "reconnecting";
  const nowMs = useNow(isWaiting ? 1_000 : 0);

  const isOffline = !isReached && (state.kind === "reconnecting" || state.kind === "connecting");
  const kind = isOffline ? "offline" : state.kind;
  const seconds = state.kind === "reconnecting" ? Math.ceil((state.untilMs - nowMs) / 1_000) : 0;
  return (
    // The button may return a moment later: the focus stays next to it.
    <section ref={place} tabIndex={-1} className={`live live-${kind}`} aria-label={m.live.label}>
      <span className="live-dot" aria-hidden="true" />
      {/* Counting down aloud would chatter: only what it is gets told. */}
      <span className="hidden" role="status">
        {textOf(kind)}
      </span>
      <span aria-hidden="true">
        {kind === "reconnecting" && seconds > 0 ? m.live.reconnectingIn(seconds) : textOf(kind)}
      </span>
      {(kind === "reconnecting" || kind === "offline") && (
        <StatusButton place={place} onClick={() => feed.retryNow()}>
          {m.live.retry}
        </StatusButton>
      )}
      {state.kind === "ended" && state.why === "session" && (
        <StatusButton place={place} onClick={onSignIn}>
          {m.live.signIn}
        </StatusButton>
      )}
    </section>
  );

  function textOf(shown: typeof kind): string {
    if (shown === "ended")
      return state.kind === "ended" && state.why === "session" ? m.live.session : m.live.refused;
    return m.live[shown];
  }
}

function StatusButton(props: {
  readonly place: RefObject<HTMLElement | null>;
  readonly children: string;
  onClick(): void;
}) {
  const ref = useFocusHeir<HTMLButtonElement>(props.place);
  return (
    <button ref={ref} type="button" className="text" onClick={props.onClick}>
      {props.children}
    </button>
  );
}
