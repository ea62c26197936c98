import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { pageConfigOf, readWebConfig } from "./server/config.ts";

/** Serves `/config.json` as the page's own server does, for `npm run dev -w web`. */
function servePageConfig(): Plugin {
  return {
    name: "settle-page-config",
    configureServer({ middlewares }) {
      const config = JSON.stringify(pageConfigOf(readWebConfig(process.env)));
      middlewares.use("/config.json", (_, response) => {
        response.setHeader("content-type", "application/json").end(config);
      });
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), servePageConfig()],
  // Used next to `npm start`, whose edge and issuer allow this origin (tools/local/stack.ts).
  server: { host: "localhost", port: 5174, strictPort: true },
  // No inlined files: the content security policy does not allow `data:` URLs.
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
