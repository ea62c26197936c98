import type { MoneyValue } from "@settle/sdk";
import { type ReactNode, Suspense, useState } from "react";
import { late } from "../browser/late.tsx";

/** Loads the dialog, which is not needed before the user tops up. */
export const importTopUpDialog = () => import("./top-up-dialog.tsx");

/** The dialog to top up, loaded when it is first opened. */
export const TopUpDialog = late(importTopUpDialog);

/**
 * Tops up by a missing amount. Render `dialog` in a view, not in the element with the button: live
 * data can remove the button, and the dialog would close while the user types.
 */
export function useTopUp(): {
  readonly dialog: ReactNode;
  readonly topUp: (missing: MoneyValue) => void;
} {
  const [missing, setMissing] = useState<MoneyValue>();
  const dialog = missing && (
    <Suspense>
      <TopUpDialog
        currency={missing.currency}
        amount={missing}
        onClose={() => setMissing(undefined)}
      />
    </Suspense>
  );
  return { dialog, topUp: setMissing };
}
