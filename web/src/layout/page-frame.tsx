import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { Mark } from "../design/mark.tsx";
import { ThemeButton } from "../design/theme-button.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { LiveStatus } from "../live/live-status.tsx";
import { useClient } from "../session/client.ts";
import { AwayNote } from "./away-note.tsx";

/** The frame of every view: navigation, live status and the signed-in user. */
export function PageFrame(props: {
  readonly children: ReactNode;
  onSignOut?(): void;
  /** Called to sign in again after the session has ended. */
  onSignIn?(): void;
}) {
  const { m, language, choose } = useLanguage();
  const { children, onSignOut, onSignIn } = props;
  return (
    <>
      <a className="skip" href="#main">
        {m.page.skip}
      </a>
      <header className="page-header">
        <Link href="/" className="wordmark">
          <Mark status="paid" />
          <span>Settle</span>
        </Link>
        {onSignOut && <MainNavigation />}
        <div className="page-tools">
          {onSignIn && <LiveStatus onSignIn={onSignIn} />}
          <button
            type="button"
            className="text"
            lang={m.language.changeTag}
            onClick={() => choose(language === "en" ? "ru" : "en")}
          >
            {m.language.change}
          </button>
          <ThemeButton />
          {onSignOut && <SignedIn onSignOut={onSignOut} />}
        </div>
      </header>
      {onSignIn && <AwayNote />}
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

function MainNavigation() {
  const { m } = useLanguage();
  const { config } = useClient();
  return (
    <nav aria-label={m.page.main} className="main-navigation">
      <NavigationLink href="/">{m.page.orders}</NavigationLink>
      <NavigationLink href="/statement">{m.page.statement}</NavigationLink>
      {config.development && <NavigationLink href="/load">{m.page.load}</NavigationLink>}
      {config.development && <a href={`${config.edgeUrl}/swagger/docs`}>{m.page.api}</a>}
    </nav>
  );
}

function NavigationLink(props: { readonly href: string; readonly children: ReactNode }) {
  const [path] = useLocation();
  const isHere =
    props.href === "/" ? path === "/" || path.startsWith("/orders/") : path === props.href;
  return (
    <Link
      href={props.href}
      aria-current={isHere ? (path === props.href ? "page" : "true") : undefined}
    >
      {props.children}
    </Link>
  );
}

function SignedIn({ onSignOut }: { onSignOut(): void }) {
  const { m } = useLanguage();
  const { userId } = useClient();
  return (
    <div className="signed-in">
      <span className="user" title={m.page.signedInAs(userId)}>
        {userId}
      </span>
      <button type="button" className="text" onClick={onSignOut}>
        {m.page.signOut}
      </button>
    </div>
  );
}
