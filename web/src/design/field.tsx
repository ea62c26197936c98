import { cloneElement, type InputHTMLAttributes, type ReactElement } from "react";

/** An input with its label, hint and error, linked for screen readers. */
export function Field(props: {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly fault?: string | undefined;
  readonly children: ReactElement<InputHTMLAttributes<HTMLElement>>;
}) {
  const { id, label, hint, fault, children } = props;
  const hintId = `${id}-hint`;
  const faultId = `${id}-fault`;
  const describedBy = [fault && faultId, hint && hintId].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {cloneElement(children, {
        id,
        ...(describedBy && { "aria-describedby": describedBy }),
        ...(fault && { "aria-invalid": true }),
      })}
      {fault && (
        <p className="fault" id={faultId}>
          {fault}
        </p>
      )}
      {hint && (
        <p className="hint" id={hintId}>
          {hint}
        </p>
      )}
    </div>
  );
}
