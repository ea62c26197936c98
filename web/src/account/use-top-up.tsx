import type { MoneyValue } from "@settle/sdk";
import { type ReactNode, useState } from "react";
import { TopUpDialog } from "./top-up-dialog.tsx";

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
    <TopUpDialog
      currency={missing.currency}
      amount={missing}
      onClose={() => setMissing(undefined)}
    />
  );
  return { dialog, topUp: setMissing };
}
