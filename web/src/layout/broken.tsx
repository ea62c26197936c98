import { useLanguage } from "../i18n/language.tsx";

/** Says that the page, or a view of it, cannot go on, and offers to load it anew. */
export function Broken() {
  const { m } = useLanguage();
  return (
    <div className="empty">
      <h1>{m.page.failed}</h1>
      <button type="button" className="quiet" onClick={() => location.reload()}>
        {m.page.failedNext}
      </button>
    </div>
  );
}
