/** The layout alone, as one script for an engine without a browser: chalicelib/console/layout.js. */
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    outDir: "../chalicelib/console",
    emptyOutDir: false,
    target: "es2017",
    lib: { entry: "src/layout/index.ts", formats: ["iife"], name: "decantLayoutModule", fileName: () => "layout.js" },
  },
});
