import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { en, type Messages } from "./en.ts";
import { createFormat, type Format } from "./format.ts";
import { ru } from "./ru.ts";

const catalogues = { en, ru };
const languageKey = "settle.language";

/** A language of the page. */
export type Language = keyof typeof catalogues;

type Spoken = {
  readonly language: Language;
  /** The texts of the page. */
  readonly m: Messages;
  readonly format: Format;
  choose(language: Language): void;
};

const context = createContext<Spoken | undefined>(undefined);

/** Provides the language that was chosen in this browser, or the first one that it requests. */
export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const spoken = useMemo(
    () => ({
      language,
      m: catalogues[language],
      format: createFormat(language),
      choose(next: Language) {
        localStorage.setItem(languageKey, next);
        setLanguage(next);
      },
    }),
    [language],
  );
  return <context.Provider value={spoken}>{children}</context.Provider>;
}

/** Returns the current texts of the page, and the format of numbers and times. */
export function useLanguage(): Spoken {
  const spoken = useContext(context);
  if (!spoken) throw new Error("useLanguage is used outside of LanguageProvider");
  return spoken;
}

function firstLanguage(): Language {
  const wanted = [localStorage.getItem(languageKey) ?? "", ...navigator.languages];
  const known = wanted.map((tag) => tag.slice(0, 2)).find((tag) => tag in catalogues);
  return (known as Language | undefined) ?? "en";
}
