import { Suspense, useEffect, useRef } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { importTopUpDialog } from "../account/use-top-up.tsx";
import { late } from "../browser/late.tsx";
import { Skeleton } from "../design/skeleton.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { OverviewView } from "../orders/overview-view.tsx";
import { useClient } from "../session/client.ts";
import { Broken } from "./broken.tsx";
import { ErrorBoundary } from "./error-boundary.tsx";
import { useTitle } from "./use-title.ts";

const importOrder = () => import("../orders/order-view.tsx");
const importStatement = () => import("../statement/statement-view.tsx");
const OrderView = late(importOrder);
const StatementView = late(importStatement);
const LoadView = late(() => import("../load/load-view.tsx"));

/**
 * The views by their paths. Navigation starts at the top of the new view, also for screen readers.
 * So does the first view after signing in through the form, which is gone by then. Back and forward
 * lead to where the view was left.
 */
export function Views({ afterForm }: { readonly afterForm: boolean }) {
  const { config, feed } = useClient();
  const [path] = useLocation();
  const first = useRef(!afterForm);
  const returnedTo = useRef<string>(undefined);
  useEffect(() => {
    const note = () => {
      returnedTo.current = location.pathname;
    };
    addEventListener("popstate", note);
    return () => removeEventListener("popstate", note);
  }, []);
  useEffect(() => {
    // What most users open next. If it fails, it is loaded when they do.
    const load = () => Promise.allSettled([importOrder(), importStatement(), importTopUpDialog()]);
    void feed.based.then(load);
  }, [feed]);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    // The browser itself scrolls to where the view was left.
    if (returnedTo.current !== path) window.scrollTo({ top: 0, behavior: "instant" });
    returnedTo.current = undefined;
    document.getElementById("main")?.focus({ preventScroll: true });
  }, [path]);
  return (
    // A view that fails does not keep the others from being shown.
    <ErrorBoundary key={path} fallback={<Broken />}>
      <Suspense fallback={<Skeleton lines={4} />}>
        <Switch>
          <Route path="/" component={OverviewView} />
          <Route path="/orders/:id">{({ id }) => <OrderView key={id} id={id} />}</Route>
          <Route path="/statement" component={StatementView} />
          {config.development && <Route path="/load" component={LoadView} />}
          <Route component={NotFound} />
        </Switch>
      </Suspense>
    </ErrorBoundary>
  );
}

function NotFound() {
  const { m } = useLanguage();
  useTitle(m.page.notFound);
  return (
    <div className="empty">
      <h1>{m.page.notFound}</h1>
      <Link href="/">{m.page.notFoundNext}</Link>
    </div>
  );
}
