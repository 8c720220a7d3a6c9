// Bundles the extension into one file; arguments: [--minify] [--outfile=FILE].
import { build } from "esbuild";

const outfile = process.argv.find((argument) => argument.startsWith("--outfile="))?.slice("--outfile=".length);
await build({
  entryPoints: ["src/extension.ts"],
  bundle: true,
  outfile: outfile ?? "dist/extension.js",
  external: ["vscode"],
  platform: "node",
  format: "cjs",
  target: "node20",
  minify: process.argv.includes("--minify"),
  absWorkingDir: import.meta.dirname,
});
