import { useLanguage } from "../i18n/language.tsx";
import { ErrorNote } from "./error-note.tsx";

/** Shows why something could not be loaded, with a button to retry. */
export function ReadFailed(props: { readonly error: unknown; again(): unknown }) {
  const { m } = useLanguage();
  return (
    <>
      <ErrorNote error={props.error} />
      <button type="button" className="quiet" onClick={() => void props.again()}>
        {m.errors.again}
      </button>
    </>
  );
}
