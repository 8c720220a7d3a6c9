// Bundles the extension into one file; arguments: [--minify] [--outfile=FILE]. Beside the one that is shipped it puts
// the README of the package: without pictures, which VS Code would look for at a public address.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
if (outfile === undefined) {
  const readme = await readFile(join(import.meta.dirname, "README.md"), "utf8");
  await writeFile(join(import.meta.dirname, "dist", "README.md"), readme.replaceAll(/^!\[.*\)\n\n/gm, ""));
}
