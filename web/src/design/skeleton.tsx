import { useLanguage } from "../i18n/language.tsx";

/** A placeholder for content that is loading. */
export function Skeleton({ lines }: { readonly lines: number }) {
  const { m } = useLanguage();
  return (
    <div className="skeleton" role="status">
      <span className="hidden">{m.page.loading}</span>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <span key={line} className="skeleton-line" aria-hidden="true" />
      ))}
    </div>
  );
}
