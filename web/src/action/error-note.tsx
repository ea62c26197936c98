import { SettleError, ValidationFailedError } from "@settle/sdk";
import type { Messages } from "../i18n/en.ts";
import { useLanguage } from "../i18n/language.tsx";
import { SessionEndedError, UnreachableError } from "../session/session.ts";

/** Shows the text for an error of an action, or nothing. */
export function ErrorNote(props: {
  readonly error: unknown;
  /** Fields of the request whose errors are already shown at their inputs. */
  readonly shown?: readonly string[];
  /** Whether the error is of an action, which takes effect once even if repeated, not of a read. */
  readonly once?: boolean;
}) {
  const { m } = useLanguage();
  const { error, shown = [], once = false } = props;
  if (error === undefined) return null;
  if (error instanceof ValidationFailedError) {
    const others = error.fieldViolations.filter(({ field }) => !shown.includes(rootOf(field)));
    if (others.length === 0 && error.fieldViolations.length > 0) return null;
  }
  return (
    <div className="fault" role="alert">
      <p>{textOf(error, m)}</p>
      {once && error instanceof SettleError && error.retryable && <p>{m.errors.safe}</p>}
      {error instanceof SettleError && !isKnown(error, m) && error.requestId !== "" && (
        <p className="small">{m.errors.request(error.requestId)}</p>
      )}
    </div>
  );
}

/** Returns the error of one field of the request, by its root name, such as `amount`. */
export function fieldFault(error: unknown, field: string, m: Messages): string | undefined {
  if (!(error instanceof ValidationFailedError)) return undefined;
  const violation = error.fieldViolations.find((found) => rootOf(found.field) === field);
  if (!violation) return undefined;
  const known: Readonly<Record<string, string>> = m.errors.fields;
  return known[violation.field] ?? known[field] ?? violation.description;
}

function textOf(error: unknown, m: Messages): string {
  if (error instanceof SessionEndedError) return m.errors.reasons.UNAUTHENTICATED ?? "";
  if (error instanceof UnreachableError) return m.errors.reasons.UNAVAILABLE ?? "";
  if (!(error instanceof SettleError)) return m.errors.unknown;
  return m.errors.reasons[error.reason] ?? `${m.errors.unknown} ${error.message}`;
}

const isKnown = ({ reason }: SettleError, m: Messages) =>
  reason !== "INTERNAL" && reason in m.errors.reasons;

const rootOf = (field: string) => field.split(".", 1)[0] ?? field;
