import { type Order, OrderNotCancellableError } from "@settle/sdk";
import { ErrorNote } from "../action/error-note.tsx";
import { useAction } from "../action/use-action.ts";
import { WorkButton } from "../action/work-button.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { useClient } from "../session/client.ts";
import { statusNamed } from "./status.ts";

/** Cancels an order that still waits for its payment, or says why that is too late. */
export function CancelButton({ order }: { readonly order: Order }) {
  const { m } = useLanguage();
  const { settle, userId, accept } = useClient();
  const cancelling = useAction(async (orderId: string, options) => {
    accept([await settle.orders.cancelOrder({ userId, orderId }, options)]);
  });
  const { error } = cancelling;
  return (
    <div className="order-next">
      <WorkButton
        type="button"
        quiet
        working={cancelling.working}
        onClick={() => void cancelling.run(order.id)}
        aria-label={m.orders.cancelOf(order.description || m.orders.untitled)}
      >
        {m.orders.cancel}
      </WorkButton>
      {error instanceof OrderNotCancellableError ? (
        <p className="fault" role="alert">
          {m.orders.notCancellable[statusNamed(error.metadata.status)]}
        </p>
      ) : (
        <ErrorNote error={error} />
      )}
    </div>
  );
}
