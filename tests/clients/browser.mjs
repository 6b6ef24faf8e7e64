// Debian's Chromium for the page tests: contexts at the width of a phone and of a desk, pictures
// of every page at both, and what every page has to satisfy.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };
const folder = process.env.NOREN_SCREENSHOTS;

export async function startChromium() {
  return chromium.launch({
    executablePath: process.env.NOREN_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A page that fails the test when a script of it fails or the content policy blocks something. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: SIZES.desktop, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => {
    // A status such as 422 for a wrong password is logged by the browser; that is no mistake.
    const expected = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !expected) page.complaints.push(message.text());
  });
  return page;
}

/** Leaves a picture at each width, and checks that the page fits, is labelled and did not complain. */
export async function inspect(page, name) {
  mkdirSync(folder, { recursive: true });
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    await page.screenshot({ path: join(folder, `${name}-${size}.png`), fullPage: true, animations: "disabled" });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= viewport.width, `${name} is ${width} wide on a ${size} of ${viewport.width}`);
  }
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot({ path: join(folder, `${name}-dark.png`), fullPage: true, animations: "disabled" });
  await page.emulateMedia({ colorScheme: "light" });
  const facts = await page.evaluate(() => {
    const visible = [...document.querySelectorAll("input, select, textarea")].filter((field) => field.type !== "hidden");
    const named = (field) => field.labels?.length || field.ariaLabel || field.getAttribute("aria-labelledby");
    return {
      title: document.title,
      language: document.documentElement.lang,
      rules: [...document.styleSheets].reduce((sum, sheet) => sum + sheet.cssRules.length, 0),
      headings: document.querySelectorAll("h1").length,
      unlabelled: visible.filter((field) => !named(field)).map((field) => field.outerHTML),
    };
  });
  assert.ok(facts.title, `${name} has no title`);
  assert.ok(facts.language, `${name} names no language`);
  assert.ok(facts.rules > 10, `${name} is not styled`);
  assert.equal(facts.headings, 1, `${name} has one main heading`);
  assert.deepEqual(facts.unlabelled, [], `${name}: fields without a label`);
  assert.deepEqual(page.complaints, [], `${name}: the browser complained`);
}

/** Fills the first visible field that matches, and leaves alone what the page does not have. */
export async function fill(page, selector, value) {
  const field = page.locator(selector).first();
  if (await field.count()) await field.fill(value);
}

export async function press(page, words) {
  await page.locator("button, input[type=submit]").filter({ hasText: words }).first().click();
}
