/**
 * The page on which a person decides about a device sign-in: the same for all three simulated upstreams, each under its
 * own name. Plain HTML forms, no script, nothing loaded from elsewhere.
 *
 * `GET` without a code asks for one; `GET ?user_code=...` with a waiting code shows who asks, lets the person be one of
 * the simulated users, and offers Approve and Deny; `POST` with `user_code`, `user` and `decision` decides.
 *
 * @module
 */
import { decide, findApproval } from "./approvals.ts";
import type { PendingApproval, SandboxContext } from "./contract.ts";
import { type DeviceView, pageHtml } from "./device_page_html.ts";

/** Whose page it is. */
export interface DevicePageBrand {
  readonly upstream: PendingApproval["upstream"];
  /** The product, e.g. `ChatGPT`. */
  readonly product: string;
  /** A CSS colour for the buttons; has to be dark enough for white text. */
  readonly accent: string;
}

const HEADERS: Readonly<Record<string, string>> = Object.freeze({
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
});

/**
 * Answers a request for the page of one upstream: `GET`, `HEAD` or `POST`; another method is 405. A code
 * that leads nowhere is a page too (404).
 */
export async function answerDevicePage(
  context: SandboxContext,
  request: Request,
  brand: DevicePageBrand,
): Promise<Response> {
  switch (request.method) {
    case "GET":
    case "HEAD":
      return ask(context, new URL(request.url).searchParams.get("user_code") ?? "", brand);
    case "POST":
      return answer(context, await request.formData().catch(() => new FormData()), brand);
    default:
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD, POST" } });
  }
}

function ask(context: SandboxContext, userCode: string, brand: DevicePageBrand): Response {
  if (userCode === "") return page(200, brand, { kind: "code", userCode });
  const found = findApproval(context, userCode, brand.upstream);
  return found.kind === "waiting"
    ? page(200, brand, { kind: "consent", approval: found.approval, users: context.users })
    : page(404, brand, { kind: "code", userCode, problem: found.message });
}

function answer(context: SandboxContext, form: FormData, brand: DevicePageBrand): Response {
  const field = (name: string) => {
    const value = form.get(name);
    return typeof value === "string" ? value : "";
  };
  const userCode = field("user_code");
  const found = findApproval(context, userCode, brand.upstream);
  if (found.kind === "unknown") {
    return page(404, brand, { kind: "code", userCode, problem: found.message });
  }
  const { approval } = found;
  if (field("decision") === "deny") {
    decide(approval, "denied");
    return page(200, brand, { kind: "denied", approval });
  }
  const user = context.users.find((one) => one.name === field("user"));
  if (field("decision") !== "approve" || user === undefined) {
    return page(400, brand, {
      kind: "consent",
      approval,
      users: context.users,
      problem: "Choose a person, then approve or deny.",
    });
  }
  decide(approval, { approvedBy: user });
  return page(200, brand, { kind: "approved", approval, user });
}

function page(status: number, brand: DevicePageBrand, view: DeviceView): Response {
  return new Response(pageHtml(brand, view), { status, headers: HEADERS });
}
