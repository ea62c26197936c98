import "./design/tokens.css";
import "./design/base.css";
import "./design/parts.css";
import "./layout/page-frame.css";
import "./account/account.css";
import "./orders/orders.css";
import "./statement/statement.css";
import "./design/print.css";
import { createRoot } from "react-dom/client";
import { firstLanguage, LanguageProvider, loadLanguage } from "./i18n/language.tsx";
import { readPageConfig } from "./session/page-config.ts";
import { SignInGate } from "./session/sign-in-gate.tsx";

const root = document.getElementById("root");
if (!root) throw new Error("the document has no root");
/** In both languages, because the texts of neither could be loaded. */
const failed =
  "Couldn’t load the page. Please reload it. Не удалось загрузить страницу. Обновите её.";
void loadLanguage(firstLanguage()).then(
  (first) =>
    createRoot(root).render(
      <LanguageProvider first={first}>
        <SignInGate config={readPageConfig()} />
      </LanguageProvider>,
    ),
  () => root.append(failed),
);
