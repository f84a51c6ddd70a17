/**
 * The HTML of the sign-in page. Everything variable is escaped here, in one place.
 *
 * @module
 */
import type { PendingApproval, SandboxUser } from "./contract.ts";

/** What the page shows. */
export type DeviceView =
  | { readonly kind: "code"; readonly userCode: string; readonly problem?: string }
  | {
    readonly kind: "consent";
    readonly approval: PendingApproval;
    readonly users: readonly SandboxUser[];
    readonly problem?: string;
  }
  | { readonly kind: "approved"; readonly approval: PendingApproval; readonly user: SandboxUser }
  | { readonly kind: "denied"; readonly approval: PendingApproval };

const STYLE = `
:root { color-scheme: light dark; --ink: #17181c; --soft: #5d616b; --line: #d9dbe1; --page: #f3f4f7; --card: #fff;
  --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eceef2; --soft: #a4a9b4; --line: #3a3d45; --page: #131418; --card: #1c1e23; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; align-content: center; justify-items: center; gap: 16px;
  padding: 24px 16px; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.note { width: 100%; max-width: 440px; margin: 0; padding: 10px 14px; border: 1px dashed #b7791f; border-radius: 10px;
  color: var(--soft); font-size: 14px; }
main { width: 100%; max-width: 440px; padding: 32px 28px; background: var(--card); border: 1px solid var(--line);
  border-radius: 16px; }
h1 { margin: 0 0 8px; font-size: 24px; line-height: 1.25; }
p { margin: 0 0 16px; }
.soft { color: var(--soft); }
.code { font: 600 22px/1 ui-monospace, SFMono-Regular, Menlo, monospace; letter-spacing: .12em; }
label.field { display: block; margin-bottom: 6px; font-weight: 600; }
input[type=text] { width: 100%; padding: 12px; margin-bottom: 16px; border: 1px solid var(--soft); border-radius: 10px;
  background: transparent; color: inherit; font: 600 20px ui-monospace, SFMono-Regular, Menlo, monospace;
  letter-spacing: .12em; text-transform: uppercase; }
fieldset { margin: 0 0 20px; padding: 0; border: 0; }
legend { padding: 0; margin-bottom: 8px; font-weight: 600; }
.person { display: flex; gap: 12px; align-items: center; padding: 10px 12px; margin-bottom: 8px;
  border: 1px solid var(--line); border-radius: 10px; cursor: pointer; }
.person:has(input:checked) { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.person input { accent-color: var(--accent); width: 18px; height: 18px; margin: 0; }
.person small { display: block; color: var(--soft); }
.buttons { display: flex; gap: 12px; }
button { flex: 1; min-height: 48px; border-radius: 10px; border: 1px solid var(--soft); background: transparent;
  color: inherit; font: inherit; font-weight: 600; cursor: pointer; }
button.primary { background: var(--accent); border-color: var(--accent); color: #fff; }
:focus-visible { outline: 3px solid #4c8dff; outline-offset: 2px; }
.problem { color: var(--bad); font-weight: 600; }
`;

/** The whole document. */
export function pageHtml(
  brand: { readonly product: string; readonly accent: string },
  view: DeviceView,
): string {
  const title = `${headline(view, brand.product)} - simulated ${brand.product}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>:root { --accent: ${escaped(brand.accent)}; }${STYLE}</style>
</head>
<body>
<p class="note" role="note"><strong>Simulation.</strong> This is not ${escaped(brand.product)}. ` +
    `It runs on your machine; no real account is involved.</p>
<main>
<h1>${escaped(headline(view, brand.product))}</h1>
${content(view)}
</main>
</body>
</html>
`;
}

function headline(view: DeviceView, product: string): string {
  switch (view.kind) {
    case "code":
      return "Connect a device";
    case "consent":
      return `Sign in with ${product}`;
    case "approved":
      return "You are signed in";
    case "denied":
      return "Sign-in denied";
  }
}

function content(view: DeviceView): string {
  switch (view.kind) {
    case "code":
      return `<p class="soft">Enter the code that the app shows you.</p>
${problem(view.problem)}<form method="get">
<label class="field" for="user_code">Code</label>
<input type="text" id="user_code" name="user_code" value="${escaped(view.userCode)}" autocomplete="off" ` +
        `autocapitalize="characters" spellcheck="false" required autofocus>
<div class="buttons"><button class="primary" type="submit">Continue</button></div>
</form>`;
    case "consent":
      return `<p><strong>${escaped(view.approval.clientName)}</strong> wants to use your subscription. ` +
        `Go on only if the app shows this code:</p>
<p class="code" data-testid="user-code">${escaped(view.approval.userCode)}</p>
${problem(view.problem)}<form method="post">
<input type="hidden" name="user_code" value="${escaped(view.approval.userCode)}">
<fieldset>
<legend>Who are you?</legend>
${view.users.map(person).join("\n")}
</fieldset>
<div class="buttons">
<button class="primary" type="submit" name="decision" value="approve">Approve</button>
<button type="submit" name="decision" value="deny">Deny</button>
</div>
</form>`;
    case "approved":
      return `<p role="status">${
        escaped(view.approval.clientName)
      } may now use the simulated subscription of ` +
        `<strong>${escaped(view.user.displayName)}</strong>.</p>
<p class="soft">You can close this page and go back to the app.</p>`;
    case "denied":
      return `<p role="status">${escaped(view.approval.clientName)} was refused. Nothing was shared.</p>
<p class="soft">You can close this page.</p>`;
  }
}

function person(user: SandboxUser, index: number): string {
  return `<label class="person"><input type="radio" name="user" value="${escaped(user.name)}"` +
    `${index === 0 ? " checked" : ""} required><span>${escaped(user.displayName)}` +
    `<small>${escaped(user.note)}</small></span></label>`;
}

function problem(sentence: string | undefined): string {
  return sentence === undefined ? "" : `<p class="problem" role="alert">${escaped(sentence)}</p>\n`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
