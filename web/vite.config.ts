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
  // React has it; the shim is for versions before 18.
  resolve: { alias: { "use-sync-external-store/shim/index.js": "react" } },
  // Used next to `npm start`, whose edge and issuer allow this origin (tools/local/stack.ts).
  server: { host: "localhost", port: 5174, strictPort: true },
  build: {
    // Browsers from 2024 on. Older targets replace light-dark(), which takes a fifth of the styles.
    target: "es2024",
    // No inlined files: the content security policy does not allow `data:` URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // One file of what several parts need, instead of a small file for each set of parts.
      output: { codeSplitting: { groups: [{ name: "shared", minShareCount: 2 }] } },
    },
  },
});
