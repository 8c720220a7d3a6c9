// What a user does in VS Code. Each returns what they then see.

/** With a key; how the box hides what is typed. */
export async function signInWithKey(screen, key, picture) {
  await screen.command("Trunkline: Sign In to a Provider");
  await screen.choose("Sign in to a provider", "FastRouter");
  await screen.title("Sign in to FastRouter").waitFor();
  await screen.input.fill(key);
  await screen.picture(picture);
  const kind = await screen.input.getAttribute("type");
  await screen.page.keyboard.press("Enter");
  await screen.hear("The key for FastRouter is stored");
  return kind;
}

async function openSignInPage(screen, method) {
  await screen.command("Trunkline: Sign In to a Provider");
  await screen.choose("Sign in to a provider", "OpenRouter");
  const opened = screen.context.waitForEvent("page");
  await screen.choose("Sign in to OpenRouter", method);
  return opened;
}

/** On a page that sends the browser back to Trunkline; what it says in the end. */
export async function signInOnPage(screen) {
  const page = await openSignInPage(screen, "Sign in with the browser");
  const shown = await page.locator("p").innerText();
  await page.close();
  await screen.hear("You are signed in to OpenRouter.");
  return shown;
}

/** On a page that shows a code, which is copied into VS Code; how the box hides it. */
export async function signInWithCode(screen) {
  const page = await openSignInPage(screen, "Sign in with a code on another device");
  const code = await page.locator("pre").innerText();
  await page.close();
  await screen.page.locator(".quick-input-message", { hasText: "The code that the page shows" }).waitFor();
  const kind = await screen.input.getAttribute("type");
  await screen.enter("Sign in", code);
  await screen.hear("You are signed in to OpenRouter.");
  return kind;
}

/** Choose the first model of a provider in VS Code's own picker; all that it has. */
export async function pickModel(screen, provider, picture) {
  await screen.page.locator(".interactive-session .model-picker-name").first().click();
  const rows = screen.page.locator(".action-widget-dropdown .monaco-list-row.action");
  await rows.filter({ hasText: "Other Models" }).click();
  await rows.nth(3).waitFor();
  if (picture) await screen.picture(picture);
  const names = await rows.allInnerTexts();
  await rows.filter({ hasText: provider }).first().click();
  return names;
}

/** Wait until VS Code has chosen a model with this name by itself. */
export async function hasModel(screen, name) {
  await screen.page.locator(".interactive-session .model-picker-name", { hasText: name }).first().waitFor();
}

/** Ask in the chat, and wait until the answer has this text; a picture of it, if it has a name. */
export async function ask(screen, question, expected, picture) {
  await write(screen, `@trunkline ${question}`);
  await screen.page.keyboard.press("Enter");
  const answer = screen.page.locator(".interactive-response .rendered-markdown", { hasText: expected }).last();
  await answer.waitFor();
  if (picture) await screen.picture(picture);
  return answer.innerText();
}

/**
 * Into the box of the chat. A chat that is still opening may write into it as well; then once more. As one piece:
 * typed letters bring up suggestions, and Enter would take one.
 */
async function write(screen, text) {
  const box = screen.page.locator(".interactive-input-editor");
  const written = box.locator(".view-lines", { hasText: text });
  for (let attempts = 1; ; attempts++) {
    await box.click();
    await screen.page.keyboard.press("ControlOrMeta+A");
    await screen.page.keyboard.insertText(text);
    try {
      return await written.waitFor({ timeout: attempts < 5 ? 5_000 : 60_000 });
    } catch (error) {
      if (attempts === 5) throw error;
    }
  }
}

/** Choose a session; its row, and the lines of its page. The chat is then a new one that addresses Trunkline. */
export async function continueSession(screen, text) {
  await screen.command("Trunkline: Continue a Session");
  await screen.title("Sessions").waitFor();
  const row = await screen.row(text).innerText();
  await screen.row(text).click();
  const lines = screen.page.locator(".editor-instance .view-line");
  await lines.filter({ hasText: "user" }).first().waitFor();
  const page = await lines.allInnerTexts();
  await screen.page.locator(".interactive-response").first().waitFor({ state: "detached" });
  await screen.page.locator(".interactive-input-editor .view-line", { hasText: "@trunkline" }).waitFor();
  const unsaved = await screen.page.locator(".tab.dirty").count();
  return { row, page: page.join(" ").replace(/\s+/g, " "), unsaved };
}

/** Share the server; what is said, and what is copied. */
export async function share(screen, scope) {
  await screen.command("Trunkline: Share This Server");
  await screen.choose("Share this server on this machine", scope);
  const said = await screen.said("Others attach with").innerText();
  await screen.button("Copy").click();
  await screen.said("Others attach with").waitFor({ state: "hidden" });
  let copied = "";
  // VS Code copies some time after the button was pressed, and nothing tells when it has.
  while (!copied.includes("attach")) copied = await screen.page.evaluate(() => navigator.clipboard.readText());
  return { said, copied };
}

/** Attach to a server; nothing is a server of this window's own. */
export async function attach(screen, url) {
  await screen.command("Trunkline: Attach to a Server");
  await screen.enter("Attach to a server", url);
}

/** Attach where no server is: what is seen after this is of the next one. What the status item says. */
export async function attachToNobody(screen) {
  await attach(screen, "unix:/no/such.sock");
  await screen.hear("Trunkline did not start");
  return status(screen, "/no/such.sock");
}

/** Wait until the status item says this, which must be something that it goes on saying; everything it says. */
export async function status(screen, expected) {
  await screen.page.locator(`[id="trunkline.trunkline.trunkline"][aria-label*="${expected}"]`).waitFor();
  return screen.status.getAttribute("aria-label");
}

/** What is said when the server did not start, and the log that the status item then opens. */
export async function readWhyNotStarted(screen, picture) {
  const said = await screen.said("Trunkline did not start").innerText();
  await screen.status.click();
  const log = screen.page.locator(".panel .view-line");
  await log.filter({ hasText: "did not" }).first().waitFor();
  await screen.picture(picture);
  return { said, log: (await log.allInnerTexts()).join("") };
}

/** From that message to the setting, and set it. */
export async function correctPath(screen, path) {
  await screen.button("Settings").click();
  await screen.page.locator('.setting-item-control input[aria-label="trunkline.path"]').fill(path);
  await status(screen, "can be used");
  await screen.page.keyboard.press("Escape");
}

/** Another extension asks for the models; VS Code asks the user whether it may. */
export async function probe(screen) {
  await screen.command("Probe: Use the Models of Trunkline");
  const ended = screen.said("The probe has ended");
  const allow = screen.page.locator(".monaco-dialog-box .monaco-button", { hasText: "Allow" });
  await allow.or(ended).first().waitFor();
  if (await allow.isVisible()) await allow.click();
  await ended.waitFor();
}
