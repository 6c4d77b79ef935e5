/** The page: chalicelib/console/index.html and app-<hash>.{js,css}; the same source always gives the same bytes. */
import { defineConfig, type Plugin } from "vite";

/** The page is served at `console`, its files at `console/<file>`: links are written that way, from nowhere in particular. */
const besideThePage: Plugin = {
  name: "beside-the-page",
  enforce: "post",
  transformIndexHtml: (html) => html.replaceAll('="./', '="console/').replaceAll(" crossorigin", ""),
};

export default defineConfig({
  base: "./",
  plugins: [besideThePage],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../chalicelib/console",
    emptyOutDir: true,
    assetsDir: "",
    assetsInlineLimit: 0,
    modulePreload: false,
    target: ["chrome123", "firefox125", "safari17.5"],
    cssCodeSplit: false,
    chunkSizeWarningLimit: 300,
    rolldownOptions: {
      output: {
        entryFileNames: "app-[hash].js",
        chunkFileNames: "[name]-[hash].js",
        assetFileNames: "app-[hash][extname]",
      },
    },
  },
});
