import { QueryClientProvider } from "@tanstack/react-query";
import { Suspense, useCallback, useEffect, useState } from "react";
import type { PageConfig } from "../../server/config.ts";
import type { Intents } from "../action/intent.ts";
import { late } from "../browser/late.tsx";
import { Broken } from "../layout/broken.tsx";
import { ErrorBoundary } from "../layout/error-boundary.tsx";
import { PageFrame } from "../layout/page-frame.tsx";
import { Views } from "../layout/views.tsx";
import { Announcer } from "../live/announcer.tsx";
import { type Client, ClientProvider, createClient } from "./client.ts";
import { followUser } from "./kept-user.ts";
import { renewSession, resumeSession } from "./resume-session.ts";
import type { Session } from "./session.ts";

const SignInView = late(() => import("./sign-in-view.tsx"));

type State =
  | { readonly kind: "starting" }
  | { readonly kind: "broken" }
  | { readonly kind: "out"; readonly config: PageConfig; readonly failed: boolean }
  | {
      readonly kind: "in";
      readonly config: PageConfig;
      readonly client: Client;
      readonly session: Session;
      /** Whether the session was started by a form of this page. */
      readonly afterForm: boolean;
    };

/** The state that a new session takes over. */
type Before = { readonly intents?: Intents; readonly afterForm?: boolean };

/** Shows the views to a signed-in user, and the sign-in view otherwise. */
export function SignInGate(props: { readonly config: Promise<PageConfig> }) {
  const [state, setState] = useState<State>({ kind: "starting" });
  const enter = useCallback((config: PageConfig, session: Session, before: Before = {}) => {
    const { intents, afterForm = false } = before;
    const client = createClient(config, session, intents);
    setState({ kind: "in", config, session, client, afterForm });
  }, []);
  useEffect(() => {
    let isCurrent = true;
    const start = async () => {
      const config = await props.config;
      const { session, failed } = await resumeSession(config.signIn);
      if (!isCurrent) return;
      if (session) enter(config, session);
      else setState({ kind: "out", config, failed });
    };
    start().catch(() => isCurrent && setState({ kind: "broken" }));
    return () => {
      isCurrent = false;
    };
  }, [props.config, enter]);

  const userId = state.kind === "in" ? state.client.userId : undefined;
  useEffect(() => {
    if (state.kind !== "in" && state.kind !== "out") return;
    return followUser((now) => {
      if (now === userId) return;
      if (state.kind === "in" && now === undefined) {
        state.client.close();
        setState({ kind: "out", config: state.config, failed: false });
      } else {
        // As whoever has signed in there: two tabs of a browser are never signed in as two users.
        location.reload();
      }
    });
  }, [state, userId]);

  if (state.kind === "starting") return null;
  if (state.kind === "broken") {
    return (
      <PageFrame>
        <Broken />
      </PageFrame>
    );
  }
  if (state.kind === "out") {
    const { config, failed } = state;
    return (
      <PageFrame>
        <ErrorBoundary fallback={<Broken />}>
          <Suspense>
            <SignInView
              signIn={config.signIn}
              failed={failed}
              onSession={(session) => enter(config, session, { afterForm: true })}
            />
          </Suspense>
        </ErrorBoundary>
      </PageFrame>
    );
  }
  const { client, config, session, afterForm } = state;
  const leave = () => {
    client.close();
    setState({ kind: "out", config, failed: false });
    void session.signOut();
  };
  const signInAgain = async () => {
    client.close();
    try {
      enter(config, await renewSession(config.signIn, client.userId), { intents: client.intents });
    } catch {
      setState({ kind: "out", config, failed: true });
    }
  };
  return (
    <QueryClientProvider client={client.queries}>
      <ClientProvider value={client}>
        <PageFrame onSignOut={leave} onSignIn={() => void signInAgain()}>
          <ErrorBoundary fallback={<Broken />}>
            <Views afterForm={afterForm} />
          </ErrorBoundary>
        </PageFrame>
        <Announcer />
      </ClientProvider>
    </QueryClientProvider>
  );
}
