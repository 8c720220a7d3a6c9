// VS Code in a browser that reaches nothing but this machine. Arguments: its address, a folder for screenshots.
// Environment: PLAYWRIGHT (a folder with node_modules), CHROMIUM. Every line of input is a step of steps.mjs to take,
// [name, ...arguments]; what was on the screen comes back as a line of JSON. The first one says that VS Code is there.
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import * as steps from "./steps.mjs";

const MOST_MS = 60_000;

const { chromium } = createRequire(join(process.env.PLAYWRIGHT, "x"))("playwright-core");
const [address, pictures] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 1100, height: 720 }, deviceScaleFactor: 1 });
await context.grantPermissions(["clipboard-read", "clipboard-write"]);
await context.route(
  (url) => url.protocol.startsWith("http") && url.hostname !== "127.0.0.1",
  (route) => route.abort(),
);
const page = await context.newPage();
page.setDefaultTimeout(MOST_MS);

const input = page.locator(".quick-input-widget input.input");

/** What steps are made of. */
const screen = {
  page,
  context,
  input,
  status: page.locator('[id="trunkline.trunkline.trunkline"]'),
  said: (text) => page.locator(".notification-list-item-message", { hasText: text }),
  button: (text) => page.locator(".notification-list-item .monaco-button", { hasText: text }),
  title: (text) => page.locator(".quick-input-title", { hasText: text }),
  row: (text) => page.locator(".quick-input-list .monaco-list-row", { hasText: text }).first(),
  picture: (name) => page.screenshot({ path: join(pictures, `${name}.png`) }),
  /** Type into the box on top, which has this title. */
  async enter(title, text) {
    await this.title(title).waitFor();
    await input.fill(text);
    await page.keyboard.press("Enter");
  },
  /** Choose the first row with this text in the list on top, which has this title. */
  async choose(title, text) {
    await this.title(title).waitFor();
    await input.fill(text);
    await this.row(text).click();
  },
  async command(title) {
    await page.keyboard.press("F1");
    await input.waitFor();
    await input.fill(`>${title}`);
    await this.row(title).click();
  },
  /** Wait for a message, and clear it away. */
  async hear(text) {
    await this.said(text).waitFor();
    await this.command("Notifications: Clear All Notifications");
    await this.said(text).waitFor({ state: "hidden" });
  },
};

const answer = (value) => process.stdout.write(`${JSON.stringify(value ?? null)}\n`);

let step = "start";
try {
  await page.goto(address);
  await screen.status.waitFor();
  await page.locator(".interactive-session").waitFor();
  answer(null);
  for await (const line of createInterface({ input: process.stdin })) {
    const [name, ...given] = JSON.parse(line);
    step = name;
    answer(await steps[name](screen, ...given));
  }
} catch (error) {
  await screen.picture(`failed-${step}`);
  throw error;
} finally {
  await browser.close();
}
