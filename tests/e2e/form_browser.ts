/**
 * As much of a browser as a page of plain HTML forms needs: cookies, redirects, forms. No script runs in it.
 *
 * @module
 */
import assert from "node:assert/strict";

/** A form of a page, as it would be sent when the person changes nothing. */
interface PageForm {
  /** Absolute. */
  readonly action: string;
  /** The fields with their values. */
  readonly fields: Readonly<Record<string, string>>;
}

/** A page that the browser shows. */
export interface ShownPage {
  readonly url: string;
  readonly status: number;
  readonly html: string;
}

/** One person's browser at one site. */
export interface FormBrowser {
  /** Opens an address and follows its redirects. */
  open(url: string): Promise<ShownPage>;
  /** Sends the only form of a page, with what the person filled in or the button that they pressed. */
  submit(page: ShownPage, filledIn?: Readonly<Record<string, string>>): Promise<ShownPage>;
  /** Follows the link of a page whose text contains `text`. */
  follow(page: ShownPage, text: string): Promise<ShownPage>;
}

/** More redirects than any sign-in has. */
const maxRedirects = 10;

/** A browser without any cookies. Leaving the site of its first page is an error. */
export function openFormBrowser(): FormBrowser {
  const cookies: { readonly name: string; readonly path: string; readonly value: string }[] = [];
  let home: string | undefined;

  async function show(url: string, body?: URLSearchParams): Promise<ShownPage> {
    let at = new URL(url);
    let form = body;
    for (let hops = 0; hops <= maxRedirects; hops++) {
      home ??= at.origin;
      assert.equal(at.origin, home, "the page leads to another site");
      const response = await fetch(at, {
        method: form === undefined ? "GET" : "POST",
        headers: { accept: "text/html", cookie: cookieHeader(at.pathname) },
        redirect: "manual",
        ...(form === undefined ? {} : { body: form }),
      });
      for (const line of response.headers.getSetCookie()) keep(line);
      const html = await response.text();
      const location = response.headers.get("location");
      if (location === null) return { url: at.href, status: response.status, html };
      at = new URL(location, at);
      form = undefined;
    }
    throw new Error(`More than ${maxRedirects} redirects.`);
  }

  function keep(setCookie: string): void {
    const [pair = "", ...attributes] = setCookie.split(/;\s*/);
    const name = pair.slice(0, pair.indexOf("="));
    const attribute = (key: string) =>
      attributes.find((text) => text.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
    const path = attribute("path") ?? "/";
    const known = cookies.findIndex((cookie) => cookie.name === name && cookie.path === path);
    if (known >= 0) cookies.splice(known, 1);
    const expires = attribute("expires");
    if (expires !== undefined && Date.parse(expires) <= Date.now()) return;
    cookies.push({ name, path, value: pair.slice(name.length + 1) });
  }

  /** RFC 6265 section 5.1.4. */
  function cookieHeader(pathname: string): string {
    return cookies
      .filter(({ path }) => pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
  }

  return {
    open: (url) => show(url),
    submit(page, filledIn = {}) {
      const form = onlyForm(page);
      return show(form.action, new URLSearchParams({ ...form.fields, ...filledIn }));
    },
    follow(page, text) {
      const link = [...page.html.matchAll(/<a\b([^>]*)>([^<]*)<\/a>/g)]
        .find(([, , label = ""]) => label.includes(text));
      assert.ok(link !== undefined, `The page has no link "${text}":\n${page.html}`);
      return show(new URL(attributeOf(link[1] ?? "", "href") ?? "", page.url).href);
    },
  };
}

function onlyForm(page: ShownPage): PageForm {
  const forms = [...page.html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)];
  assert.equal(forms.length, 1, `The page should have one form (status ${page.status}):\n${page.html}`);
  const [, head = "", content = ""] = forms[0] ?? [];
  assert.equal(attributeOf(head, "method")?.toLowerCase(), "post");
  return {
    action: new URL(attributeOf(head, "action") ?? "", page.url).href,
    fields: Object.fromEntries(
      [...content.matchAll(/<input\b([^>]*)>/g)].flatMap(([, attributes = ""]) => {
        const name = attributeOf(attributes, "name");
        return name === undefined ? [] : [[name, attributeOf(attributes, "value") ?? ""]];
      }),
    ),
  };
}

function attributeOf(attributes: string, name: string): string | undefined {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1];
  return value
    ?.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
