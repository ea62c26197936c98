import { useEffect, useRef, useState } from "react";
import { ErrorNote } from "../action/error-note.tsx";
import { StopButton } from "../action/stop-button.tsx";
import { WorkButton } from "../action/work-button.tsx";
import { useLanguage } from "../i18n/language.tsx";
import { useClient } from "../session/client.ts";
import { exportStatement } from "./export-statement.ts";

/** Exports the whole statement, with progress and a stop button. */
export function ExportButton() {
  const { m, format } = useLanguage();
  const { settle, userId } = useClient();
  const [lines, setLines] = useState<number>();
  const [error, setError] = useState<unknown>();
  const stop = useRef<AbortController>(undefined);
  const starter = useRef<HTMLButtonElement>(null);
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
  const isRunning = lines !== undefined;
  return (
    <>
      {isRunning && <span role="status">{m.statement.exporting(lines, format.number(lines))}</span>}
      <WorkButton
        ref={starter}
        type="button"
        quiet
        working={isRunning}
        onClick={() => void (isRunning || run())}
      >
        {m.statement.export}
      </WorkButton>
      {isRunning && (
        <StopButton starter={starter} onClick={() => stop.current?.abort()}>
          {m.statement.stop}
        </StopButton>
      )}
      <ErrorNote error={error} />
    </>
  );
}
