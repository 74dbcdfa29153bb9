import { lookup } from 'node:dns/promises'
import { type IncomingMessage, request as requestPlain } from 'node:http'
import { request } from 'node:https'
import { isIP } from 'node:net'
import { OUTGOING } from '../config/limits.ts'
import { StartupError } from '../errors.ts'
import { badPort } from '../public-url.ts'
import { isPublicAddress } from './public-address.ts'

const TIMEOUT_MS = 2500

/** The address may not be asked; nothing was sent. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused'
}

export interface GuardedFetchOptions {
  /** Default: all addresses of the name, by the system's resolver. */
  readonly resolve?: (host: string) => Promise<readonly string[]>
  /** Default: the public internet. Of an address of the URL's host. */
  readonly isAllowed?: (address: string, url: URL) => boolean
  /** Whether http is spoken, too. */
  readonly allowsPlain?: boolean
  /** Certificates of authorities to trust instead of the common ones, in PEM. */
  readonly ca?: string
  /** The longest body that is read. */
  readonly maxBytes?: number
  /** How long all of it may take. */
  readonly timeoutMs?: number
}

export type Fetch = (input: string | Request | URL, init?: RequestInit) => Promise<Response>

/**
 * Every way out of the server is made here (CL-04): https unless http is allowed, every address of
 * the name checked before anything is sent and the checked one connected to, no redirect followed,
 * `timeoutMs` and `maxBytes` at most.
 * Rejects with `RequestRefused`, or with the fault of the network.
 */
export function createGuardedFetch({
  resolve = resolveAll,
  isAllowed = isPublicAddress,
  allowsPlain = false,
  ca,
  maxBytes = OUTGOING.answerBytes,
  timeoutMs = TIMEOUT_MS,
}: GuardedFetchOptions = {}): Fetch {
  return async (input, init = {}) => {
    const url = URL.parse(input instanceof Request ? input.url : String(input))
    const isSpoken = url?.protocol === 'https:' || (allowsPlain && url?.protocol === 'http:')
    if (!url || !isSpoken || url.username || url.password)
      throw new RequestRefused('only https URLs without credentials are fetched')
    const signal = AbortSignal.any([
      AbortSignal.timeout(timeoutMs),
      ...(init.signal ? [init.signal] : []),
    ])
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const addresses = isIP(host) ? [host] : await orAborted(resolve(host), signal)
    const [address] = addresses
    if (!address || !addresses.every((each) => isAllowed(each, url)))
      throw new RequestRefused('the host is not on the public internet')
    if (badPort(url)) throw new RequestRefused('the port is not one of a web server')
    const incoming = await send(url, { host, address, init, signal, ca })
    const content = await read(incoming, maxBytes)
    const status = incoming.statusCode ?? 0
    return new Response(status === 204 || status === 205 || status === 304 ? null : content, {
      status,
      headers: headersOf(incoming),
    })
  }
}

interface Sending {
  readonly host: string
  readonly address: string
  readonly init: RequestInit
  readonly signal: AbortSignal
  readonly ca: string | undefined
}

function send(url: URL, { host, address, init, signal, ca }: Sending): Promise<IncomingMessage> {
  const body = bodyOf(init)
  return new Promise((resolve, reject) => {
    const isPlain = url.protocol === 'http:'
    const outgoing = (isPlain ? requestPlain : request)(
      {
        host: address,
        port: url.port || (isPlain ? 80 : 443),
        path: url.pathname + url.search,
        method: init.method ?? 'GET',
        headers: {
          ...Object.fromEntries(new Headers(init.headers)),
          host: url.host,
          ...(body ? { 'content-length': Buffer.byteLength(body) } : {}),
        },
        servername: isIP(host) ? '' : host,
        ...(ca ? { ca } : {}),
        agent: false,
        signal,
      },
      (incoming) => {
        resolve(incoming)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

async function read(incoming: IncomingMessage, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new RequestRefused(`the answer is larger than ${maxBytes / 1024} kB`)
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function headersOf({ headersDistinct }: IncomingMessage): Headers {
  const headers = new Headers()
  for (const [name, values] of Object.entries(headersDistinct))
    for (const value of values ?? []) headers.append(name, value)
  return headers
}

/** What the provider sends: nothing, or a form. */
function bodyOf({ body }: RequestInit): string | undefined {
  if (body === undefined || body === null || typeof body === 'string') return body ?? undefined
  if (body instanceof URLSearchParams) return body.toString()
  throw new TypeError('only text and forms are sent')
}

async function resolveAll(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    }),
  ])
}

/**
 * Addresses inside every network. Nobody listens at their port, which is not refused itself: should
 * the guard be off, nobody is disturbed.
 */
const INSIDE = [
  'http://192.0.2.1:2/',
  'https://127.0.0.1:2/',
  'https://[::1]:2/',
  'https://[::ffff:127.0.0.1]:2/',
  'https://169.254.169.254:2/',
]

/**
 * Proves at the start that the guard is on; throws `StartupError` when it lets one of the inner
 * addresses through.
 */
export async function proveGuard(fetch: Fetch): Promise<void> {
  for (const url of INSIDE) {
    const refusal = await fetch(url).catch((error: unknown) => error)
    if (!(refusal instanceof RequestRefused))
      throw new StartupError(
        'Outgoing requests are not guarded: an address of the inner network can be reached.',
      )
  }
}
