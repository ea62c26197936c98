import { useLanguage } from "../i18n/language.tsx";
import { ErrorNote } from "./error-note.tsx";
import type { Action } from "./use-action.ts";
import { WorkButton } from "./work-button.tsx";

/** The button at the end of a list that loads more of it. */
export function ShowMore(props: {
  readonly action: Action<undefined>;
  readonly isMore: boolean;
  /** By default, the text of any list. */
  readonly label?: string;
}) {
  const { m } = useLanguage();
  const { action, isMore, label = m.orders.more } = props;
  return (
    <>
      <ErrorNote error={action.error} />
      {isMore && (
        <WorkButton
          type="button"
          quiet
          working={action.working}
          onClick={() => void action.run(undefined)}
        >
          {label}
        </WorkButton>
      )}
    </>
  );
}
