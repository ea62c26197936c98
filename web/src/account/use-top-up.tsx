import type { MoneyValue } from "@settle/sdk";
import { type ReactNode, useState } from "react";
import { TopUpDialog } from "./top-up-dialog.tsx";

/**
 * Tops up by a sum that is missing. For views: `dialog` is to be shown by what stays when live data
 * takes away the button that asked for it, or it would go while somebody types in it.
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
