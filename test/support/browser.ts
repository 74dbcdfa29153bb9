import { CookieJar } from './cookie-jar.ts'
import { entriesOf, type Form, formsOf, type Values } from './forms.ts'
import { textOf, tokensOf, visibleText } from './html.ts'
import { send } from './http.ts'

export interface BrowserOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly jar?: CookieJar
  readonly connect?: { readonly host: string; readonly port: number }
}

interface Navigation {
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly follow?: boolean
}

const MAX_REDIRECTS = 20

/** Where a page goes on to by itself. */
function refreshOf(text: string): string | undefined {
  for (const token of tokensOf(text))
    if (
      token.kind === 'open' &&
      token.tag === 'meta' &&
      token.attributes['http-equiv'] === 'refresh'
    )
      return /^0;url=(.+)$/.exec(token.attributes['content'] ?? '')?.[1]
  return undefined
}

/** What the browser shows: an answer of the server, or the foreign address it would have gone to next. */
export class Page {
  readonly url: URL
  readonly response: Response
  readonly text: string
  /**
   * The server sent the browser away from its origin; `url` is that address and nothing was fetched
   * there.
   */
  readonly isForeign: boolean

  constructor(url: URL, response: Response, text: string, isForeign = false) {
    this.url = url
    this.response = response
    this.text = text
    this.isForeign = isForeign
  }

  get status(): number {
    return this.response.status
  }

  get title(): string | undefined {
    return textOf(this.text, 'title')
  }

  get h1(): string | undefined {
    return textOf(this.text, 'h1')
  }

  /** Everything a reader sees, white space folded. */
  get words(): string {
    return visibleText(this.text)
  }

  get forms(): readonly Form[] {
    return formsOf(this.text, this.url)
  }

  /**
   * Where a sign-in stands by what the page asks: `login`, `consent`, … or `app` when it went back
   * to one; undefined for other pages.
   */
  get step(): string | undefined {
    if (this.isForeign) return 'app'
    const asked = this.forms.map(
      ({ action }) => /^\/interaction\/[^/]+\/([^/]+)$/.exec(action.pathname)?.[1],
    )
    return asked.find((step) => step !== undefined && step !== 'switch-account')
  }

  get links(): readonly URL[] {
    const links: URL[] = []
    for (const token of tokensOf(this.text))
      if (token.kind === 'open' && token.tag === 'a' && token.attributes['href'])
        links.push(new URL(token.attributes['href'], this.url))
    return links
  }

  /**
   * By position, id, or action path (`/login` also matches `/interaction/x/login`). Throws if there
   * is none.
   */
  form(wanted: number | string = 0): Form {
    const found =
      typeof wanted === 'number'
        ? this.forms[wanted]
        : (this.forms.find((form) => form.id === wanted || form.action.pathname === wanted) ??
          this.forms.find(
            (form) => wanted.startsWith('/') && form.action.pathname.endsWith(wanted),
          ))
    if (!found)
      throw new Error(
        `No form ${wanted} at ${this.url.pathname} (${this.status} ${this.h1 ?? this.text.slice(0, 200)})`,
      )
    return found
  }
}

/** A person's browser without JavaScript: cookies, forms, redirects (also by a page) within one origin. */
export class Browser {
  readonly origin: string
  readonly jar: CookieJar
  readonly #options: BrowserOptions
  #page: Page | undefined

  constructor(origin: string, options: BrowserOptions = {}) {
    this.origin = new URL(origin).origin
    this.jar = options.jar ?? new CookieJar()
    this.#options = options
  }

  /** The page it shows now. */
  get page(): Page {
    if (!this.#page) throw new Error('The browser has not visited anything yet')
    return this.#page
  }

  /** Opens an address and follows redirects as long as they stay on the origin. */
  visit(url: URL | string, headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    return this.#navigate(new URL(url, this.origin), {
      headers: { 'sec-fetch-site': 'none', ...headers },
    })
  }

  /** Follows a link of the page it shows. */
  follow(url: URL | string): Promise<Page> {
    return this.#navigate(new URL(url, this.page.url), { headers: this.#fromHere() })
  }

  /**
   * Fills a form of the page it shows (position, id, action path, or the form itself) and presses a
   * button.
   */
  submit(
    wanted: Form | number | string,
    values: Values = {},
    { button, follow }: { button?: string; follow?: boolean } = {},
  ): Promise<Page> {
    const form = typeof wanted === 'object' ? wanted : this.page.form(wanted)
    const { entries, pressed } = entriesOf(form, values, button)
    const action = new URL(pressed?.attributes['formaction'] ?? form.action, form.action)
    const body = new URLSearchParams(entries).toString()
    const options = { headers: this.#fromHere(), ...(follow === undefined ? {} : { follow }) }
    if (form.method !== 'POST') {
      action.search = body
      return this.#navigate(action, options)
    }
    return this.post(action, body, options)
  }

  /** A form post that needs no form on the page, for attacks. Same-origin headers unless told otherwise. */
  post(
    url: URL | string,
    body: string | Values,
    { headers, follow }: { headers?: Readonly<Record<string, string>>; follow?: boolean } = {},
  ) {
    const content =
      typeof body === 'string'
        ? body
        : new URLSearchParams(
            Object.entries(body).map(([name, value]): [string, string] => [name, String(value)]),
          ).toString()
    return this.#navigate(new URL(url, this.origin), {
      method: 'POST',
      body: content,
      headers: {
        origin: this.origin,
        'content-type': 'application/x-www-form-urlencoded',
        'sec-fetch-site': 'same-origin',
        ...headers,
      },
      ...(follow === undefined ? {} : { follow }),
    })
  }

  /** Another window of the same person, or a thief with the same cookies. */
  copy(options: BrowserOptions = {}): Browser {
    return new Browser(this.origin, { ...this.#options, ...options, jar: this.jar.copy() })
  }

  #fromHere(): Record<string, string> {
    return { referer: this.page.url.href, 'sec-fetch-site': 'same-origin' }
  }

  async #navigate(
    start: URL,
    { method = 'GET', body, headers = {}, follow = true }: Navigation,
  ): Promise<Page> {
    let [url, verb, content] = [start, method, body]
    let extra: Readonly<Record<string, string>> = headers
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const response = await this.#request(url, verb, content, extra)
      const location = response.headers.get('location')
      const isRedirect = response.status >= 300 && response.status < 400 && location !== null
      const text = isRedirect && follow ? '' : await response.clone().text()
      const next = isRedirect ? location : refreshOf(text)
      if (next === undefined || !follow) return this.#show(new Page(url, response, text))
      const target = new URL(next, url)
      if (isRedirect && !target.hash) target.hash = url.hash
      if (target.origin !== this.origin) return this.#show(new Page(target, response, '', true))
      if (!isRedirect || response.status === 303 || (response.status < 303 && verb === 'POST'))
        [verb, content] = ['GET', undefined]
      const { 'content-type': _type, origin: _origin, ...kept } = extra
      extra = content === undefined ? kept : extra
      url = target
    }
    throw new Error(`More than ${MAX_REDIRECTS} redirects, last to ${url.href}`)
  }

  async #request(
    url: URL,
    method: string,
    body: string | undefined,
    headers: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const cookie = this.jar.header(url)
    const response = await send(url, {
      method,
      headers: {
        accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8',
        'accept-language': 'en',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        'user-agent':
          'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Safari/537.36',
        ...(cookie ? { cookie } : {}),
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        ...this.#options.headers,
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      ...(this.#options.connect ? { connect: this.#options.connect } : {}),
    })
    this.jar.store(url, response.headers.getSetCookie())
    return response
  }

  #show(page: Page): Page {
    this.#page = page
    return page
  }
}
