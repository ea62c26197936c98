import { type Order, OrderNotCancellableError } from "@settle/sdk";
import { useEffect, useState } from "react";
import { ErrorNote } from "../action/error-note.tsx";
import { useAction } from "../action/use-action.ts";
import { WorkButton } from "../action/work-button.tsx";
import { useFocusHeir } from "../design/use-focus-heir.ts";
import { useLanguage } from "../i18n/language.tsx";
import { useClient } from "../session/client.ts";
import { statusNamed, statusOf } from "./status.ts";

/** Most orders are paid before a user can press the button, which would only flicker. */
const offerAfterMs = 600;

/**
 * Cancels an order that still waits for its payment, or shows why it is too late. The message stays
 * when the status of the order changes.
 */
export function CancelOrder({ order }: { readonly order: Order }) {
  const { m } = useLanguage();
  const { settle, userId, accept } = useClient();
  const cancelling = useAction("cancelOrder", async (orderId: string, options) => {
    accept([await settle.orders.cancelOrder({ userId, orderId }, options)]);
  });
  const isOffered = useLater(statusOf(order) === "pending", offerAfterMs);
  const { error } = cancelling;
  if (!isOffered && error === undefined) return null;
  return (
    <div className="order-next">
      {isOffered && (
        <CancelButton
          working={cancelling.working}
          what={order.description}
          onClick={() => void cancelling.run(order.id)}
        />
      )}
      {error instanceof OrderNotCancellableError ? (
        <p className="fault" role="alert">
          {m.orders.notCancellable[statusNamed(error.metadata.status)]}
        </p>
      ) : (
        <ErrorNote error={error} once />
      )}
    </div>
  );
}

function CancelButton(props: {
  readonly working: boolean;
  readonly what: string;
  onClick(): void;
}) {
  const { m } = useLanguage();
  const ref = useFocusHeir<HTMLButtonElement>();
  return (
    <WorkButton
      ref={ref}
      type="button"
      quiet
      working={props.working}
      onClick={props.onClick}
      aria-label={m.orders.cancelOf(props.what)}
    >
      {m.orders.cancel}
    </WorkButton>
  );
}

/** Returns whether `is` has been true for `delayMs`. */
function useLater(is: boolean, delayMs: number): boolean {
  const [isLater, setLater] = useState(false);
  useEffect(() => {
    if (!is) return;
    const timer = setTimeout(() => setLater(true), delayMs);
    return () => {
      clearTimeout(timer);
      setLater(false);
    };
  }, [is, delayMs]);
  return is && isLater;
}
