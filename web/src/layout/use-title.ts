import { useEffect } from "react";

/** Names the document after what it shows: `Statement · Settle`. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Settle`;
  }, [title]);
}
