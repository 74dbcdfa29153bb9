/**
 * Ports that browsers refuse (Fetch standard, "bad port"): what listens there is no web server, and
 * may take a request for its own.
 */
const BAD_PORTS = new Set(
  (
    '1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 135 137 139 143 161 179 ' +
    '389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 ' +
    '6000 6566 6665 6666 6667 6668 6669 6679 6697 10080'
  ).split(' '),
)
/** PostgreSQL, PgBouncer, Redis, its cluster bus and Sentinel: what runs next to this server. */
const STORES = new Set(['5432', '6432', '6379', '16379', '26379'])

/** The port of the URL, if no web server may be expected there. */
export function badPort({ port }: URL): string | undefined {
  return BAD_PORTS.has(port) || STORES.has(port) ? port : undefined
}

/**
 * Linked or fetched: https, no credentials, no fragment, and no address that only this machine's
 * network knows (CL-03, CL-04).
 */
export function isPublicHttps(text: string): boolean {
  const url = plainlyWritten(text)
  return (
    url?.protocol === 'https:' &&
    /^([a-z0-9-]+\.)+[a-z][a-z0-9-]*$/.test(url.hostname) &&
    !/\.(localhost|local|internal)$/.test(url.hostname)
  )
}

/** The URL, if it is http(s) in its canonical form, without credentials, fragment and foreign port. */
export function plainlyWritten(text: string): URL | undefined {
  const url = URL.parse(text)
  const isCanonical = url !== null && (url.href === text || url.href === `${text}/`)
  if (!isCanonical || !/^https?:$/.test(url.protocol)) return undefined
  if (url.username || url.password || text.includes('#') || badPort(url)) return undefined
  return url
}
