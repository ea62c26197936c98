import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
} from "react";
import { followKept } from "../browser/follow-kept.ts";
import { keptByBrowser } from "../browser/kept.ts";
import { loadPart } from "../browser/late.tsx";
import type { Messages } from "./en.ts";
import { createFormat, type Format } from "./format.ts";

/** Each language is a file of its own: a visitor loads one of them. */
const catalogues = {
  en: () => import("./en.ts").then(({ en }): Messages => en),
  ru: () => import("./ru.ts").then(({ ru }): Messages => ru),
};
const languageKey = "settle.language";

/** A language of the page. */
export type Language = keyof typeof catalogues;

/** A language with its texts. */
export type LoadedLanguage = { readonly language: Language; readonly m: Messages };

type Spoken = LoadedLanguage & {
  readonly format: Format;
  /** Remembers the language, and switches to it when its texts are loaded. */
  choose(language: Language): void;
};

const context = createContext<Spoken | undefined>(undefined);

/** Loads the texts of a language. Rejects if that is not possible, see {@link loadPart}. */
export async function loadLanguage(language: Language): Promise<LoadedLanguage> {
  return { language, m: await loadPart(catalogues[language]) };
}

/** Returns the language that was chosen in this browser, or the first one that it requests. */
export function firstLanguage(): Language {
  const wanted = [keptByBrowser.get(languageKey) ?? "", ...navigator.languages];
  const known = wanted.map((tag) => tag.slice(0, 2)).find((tag) => tag in catalogues);
  return (known as Language | undefined) ?? "en";
}

/** Provides the texts of the page, in the `first` language until another one is chosen. */
export function LanguageProvider(props: {
  readonly first: LoadedLanguage;
  readonly children: ReactNode;
}) {
  const [loaded, setLoaded] = useState(props.first);
  const { language } = loaded;
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  // Without the texts, the page stays in its language.
  const show = useCallback(
    (next: Language) => void loadLanguage(next).then(setLoaded, () => {}),
    [],
  );
  useEffect(() => followKept(languageKey, () => show(firstLanguage())), [show]);
  const spoken = useMemo(
    () => ({
      ...loaded,
      format: createFormat(loaded.language),
      choose(next: Language) {
        keptByBrowser.set(languageKey, next);
        show(next);
      },
    }),
    [loaded, show],
  );
  return <context.Provider value={spoken}>{props.children}</context.Provider>;
}

/** Returns the current texts of the page, and the format of numbers and times. */
export function useLanguage(): Spoken {
  const spoken = useContext(context);
  if (!spoken) throw new Error("useLanguage is used outside of LanguageProvider");
  return spoken;
}
