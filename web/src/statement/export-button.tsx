import { useEffect, useRef, useState } from "react";
import { ErrorNote } from "../action/error-note.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { useClient } from "../session/client.ts";
import { exportStatement } from "./export-statement.ts";

/** Exports the whole statement, shows how far that is, and can be stopped. */
export function ExportButton() {
  const { m, format } = useLanguage();
  const { settle, userId } = useClient();
  const [lines, setLines] = useState<number>();
  const [error, setError] = useState<unknown>();
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);
  const run = async () => {
    const stopping = new AbortController();
    const { signal } = stopping;
    stop.current = stopping;
    setError(undefined);
    setLines(0);
    try {
      await exportStatement({ settle, userId, signal, onProgress: setLines });
    } catch (thrown) {
      if (!signal.aborted) setError(thrown);
    }
    setLines(undefined);
  };
  if (lines === undefined) {
    return (
      <>
        <button type="button" className="quiet" onClick={() => void run()}>
          {m.statement.export}
        </button>
        <ErrorNote error={error} />
      </>
    );
  }
  return (
    <>
      <span role="status">{m.statement.exporting(lines, format.number(lines))}</span>
      <button type="button" className="quiet" onClick={() => stop.current?.abort()}>
        {m.statement.stop}
      </button>
    </>
  );
}
