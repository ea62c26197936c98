import { type ReactNode, useEffect, useId, useRef } from "react";

/** A modal dialog, open while it is mounted. Closing it restores the focus. */
export function Dialog(props: {
  readonly title: string;
  readonly children: ReactNode;
  onClose(): void;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={ref} className="sheet" aria-labelledby={titleId} onCancel={props.onClose}>
      <h2 id={titleId}>{props.title}</h2>
      {props.children}
    </dialog>
  );
}
