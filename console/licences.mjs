/** Write chalicelib/console/licences.txt: what of other people's work the built files hold, and its licence. */
import { readFileSync, writeFileSync } from "node:fs";

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const shipped = new Set();
const add = (name) => {
  if (shipped.has(name)) return;
  shipped.add(name);
  const about = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  Object.keys(about.dependencies ?? {}).forEach(add);
};
Object.keys(dependencies).forEach(add);

const parts = [...shipped].sort().map((name) => {
  const about = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  return `${name} ${about.version} (${about.license})\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}\n`;
});
writeFileSync("../chalicelib/console/licences.txt", `The console's pages hold these libraries.\n\n${parts.join("\n----\n\n")}`);
