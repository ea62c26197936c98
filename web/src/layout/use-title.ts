import { useEffect } from "react";

/** Sets the title of the document: `Statement · Settle`. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Settle`;
  }, [title]);
}
