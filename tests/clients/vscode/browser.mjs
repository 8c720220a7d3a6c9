// What a user does in VS Code, in a browser that reaches nothing but this machine.
// Arguments: the address of VS Code, a folder for screenshots. Environment: TEST_KEY, PLAYWRIGHT (a folder with
// node_modules), CHROMIUM. Prints what was on the screen as JSON.
import { createRequire } from "node:module";
import { join } from "node:path";

const { chromium } = createRequire(join(process.env.PLAYWRIGHT, "x"))("playwright-core");
const [address, pictures] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1100, height: 720 }, deviceScaleFactor: 1 });
page.setDefaultTimeout(30_000);
await page.route(
  (url) => url.protocol.startsWith("http") && url.hostname !== "127.0.0.1",
  (route) => route.abort(),
);

const picture = (name) => page.screenshot({ path: join(pictures, `${name}.png`) });
const input = page.locator(".quick-input-widget input.input");

/** Type into the box on top; with a `row`, choose the first one that has this text. */
async function enter(text, row) {
  await input.waitFor();
  await input.fill(text);
  if (row === undefined) await page.keyboard.press("Enter");
  else await page.locator(".quick-input-list .monaco-list-row", { hasText: row }).first().click();
}

async function command(title) {
  await page.keyboard.press("F1");
  await enter(`>${title}`, title);
}

async function signIn() {
  await command("Trunkline: Sign In to a Provider");
  await page.locator(".quick-input-title", { hasText: "Sign in to a provider" }).waitFor();
  await enter("FastRouter", "FastRouter");
  await page.locator(".quick-input-title", { hasText: "Sign in to FastRouter" }).waitFor();
  await input.fill(process.env.TEST_KEY);
  await picture("sign-in");
  const kind = await input.getAttribute("type");
  await page.keyboard.press("Enter");
  const stored = page.locator(".notification-list-item-message", { hasText: "The key for FastRouter is stored" });
  await stored.waitFor();
  await command("Notifications: Clear All Notifications");
  await stored.waitFor({ state: "hidden" });
  return kind;
}

async function modelPicker() {
  await page.locator(".interactive-session .model-picker-name").first().click();
  const rows = page.locator(".action-widget-dropdown .monaco-list-row.action");
  await rows.filter({ hasText: "Other Models" }).click();
  await rows.nth(3).waitFor();
  await picture("model-picker");
  const names = await rows.allInnerTexts();
  await rows.filter({ hasText: "FastRouter" }).first().click();
  return names;
}

async function ask(question) {
  await page.locator(".interactive-input-editor").click();
  await page.keyboard.type(question);
  await page.locator(".interactive-input-editor .view-line", { hasText: "@trunkline" }).waitFor();
  await page.keyboard.press("Enter");
  const answer = page.locator(".interactive-response .rendered-markdown", { hasText: "it has 3 lines" });
  await answer.last().waitFor();
  await picture("chat");
  return answer.last().innerText();
}

/** Another extension asks for the models; VS Code asks the user whether it may. */
async function probe() {
  await command("Probe: Use the Models of Trunkline");
  const ended = page.locator(".notification-list-item-message", { hasText: "The probe has ended" });
  const allow = page.locator(".monaco-dialog-box .monaco-button", { hasText: "Allow" });
  await allow.or(ended).first().waitFor();
  const asked = await allow.isVisible();
  if (asked) await allow.click();
  await ended.waitFor();
  return asked;
}

async function run() {
  await page.goto(address);
  await page.locator(".statusbar-item", { hasText: "Trunkline" }).waitFor();
  await page.locator(".interactive-session").waitFor();
  const inputType = await signIn();
  const picker = await modelPicker();
  const answer = await ask("@trunkline What does notes.md say?");
  const askedForConsent = await probe();
  return { inputType, picker, answer, askedForConsent };
}

try {
  process.stdout.write(JSON.stringify(await run()));
} catch (error) {
  await picture("failure");
  throw error;
} finally {
  await browser.close();
}
