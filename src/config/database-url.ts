import { readFileSync } from 'node:fs'
import ipaddr from 'ipaddr.js'
import { parse } from 'pg-connection-string'

/**
 * Everything that a connection is made of. Nothing of it comes from anywhere else: no default of
 * the driver, no PG* variable, no ~/.pgpass.
 */
export interface DatabaseTarget {
  /** A name, an address without brackets, or the folder of a socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly tls: DatabaseTls | undefined
}

export interface DatabaseTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Whether the certificate must be for this host, or only from the given authority. */
  readonly checksHost: boolean
}

const DEFAULT_PORT = 5432
const FILES = ['sslrootcert', 'sslcert', 'sslkey'] as const
const ALLOWED = ['sslmode', ...FILES, 'host', 'port'] as const
const SHAPE =
  'must be postgres://user:password@host:port/database, with special characters percent-encoded'
const LISTED = `the allowed are ${FILES.join(', ')}, sslmode, and for a socket host and port`
const ENCRYPT =
  'write sslmode=verify-full (with sslrootcert=/path/of/ca.pem for an authority of your own) or sslmode=disable'

/** Throws `Error` with what is wrong, never a value of the URL. */
export function parseDatabaseUrl(url: string): DatabaseTarget {
  const parameters = parametersOf(url)
  const { host: named, port, user, password, database } = parsed(url)
  if (!/^postgres(ql)?:\/\//.test(url)) throw new Error(SHAPE)
  if (!user) throw new Error('names no user')
  if (!database) throw new Error('names no database')
  const socket = parameters.get('host')
  if (named && (socket ?? parameters.get('port')))
    throw new Error('host= and port= are for a socket; others stand before the database')
  const host = (socket ?? named ?? '').replace(/^\[(.*)\]$/, '$1')
  if (!host) throw new Error('names no host; for a socket append ?host=/run/postgresql')
  if (host.includes(',')) throw new Error('names several hosts; put one address in front of them')
  const isSocket = host.startsWith('/')
  if (socket && !isSocket)
    throw new Error('host= is for the folder of a socket; a host comes before the database')
  const tls = tlsOf(parameters)
  if (tls && isSocket) throw new Error('a socket has no TLS; leave sslmode out')
  return {
    host,
    port: portOf(parameters.get('port') ?? port),
    user,
    password: password ?? '',
    database,
    tls,
  }
}

/** As it is shown to people: without user and password. */
export function nameOfDatabase({ host, port, database }: DatabaseTarget): string {
  const shown = port === DEFAULT_PORT ? '' : `:${port}`
  return `${host.includes(':') ? `[${host}]` : host}${shown}/${database}`
}

/** Whether others on the way can read along. */
export function isReadable({ host, tls }: DatabaseTarget): boolean {
  const isHere =
    host.startsWith('/') ||
    host === 'localhost' ||
    (ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback')
  return !tls && !isHere
}

/**
 * Without the parameters: the parser takes any, and libpq's meaning of `sslmode=require` checks no
 * certificate.
 */
function parsed(url: string) {
  try {
    return parse(url.replace(/[?#].*$/s, ''))
  } catch {
    throw new Error(SHAPE)
  }
}

function parametersOf(url: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  if (url.includes('#')) throw new Error(SHAPE)
  for (const [name, value] of new URLSearchParams(/\?(.*)/s.exec(url)?.[1] ?? '')) {
    if (name === 'ssl') throw new Error(`ssl= is not known; ${ENCRYPT}`)
    if (!(ALLOWED as readonly string[]).includes(name))
      throw new Error(`has an unknown parameter ${name}=; ${LISTED}`)
    if (found.has(name)) throw new Error(`has ${name}= twice`)
    found.set(name, value)
  }
  return found
}

function tlsOf(parameters: ReadonlyMap<string, string>): DatabaseTls | undefined {
  const mode = parameters.get('sslmode')
  const isEncrypted = mode === 'verify-full' || mode === 'require' || mode === 'verify-ca'
  if (!isEncrypted && mode !== undefined && mode !== 'disable')
    throw new Error(`this sslmode proves nothing; ${ENCRYPT}`)
  const [ca, cert, key] = FILES.map((name) => fileOf(parameters, name))
  if (!isEncrypted) {
    if (ca ?? cert ?? key) throw new Error(`has certificates and no TLS; ${ENCRYPT}`)
    return undefined
  }
  if (mode === 'verify-ca' && !ca)
    throw new Error(
      'sslmode=verify-ca needs sslrootcert=/path/of/ca.pem; or write sslmode=verify-full',
    )
  if ((cert === undefined) !== (key === undefined))
    throw new Error('needs both sslcert and sslkey, or neither')
  return {
    ...(ca ? { ca } : {}),
    ...(cert && key ? { cert, key } : {}),
    checksHost: mode !== 'verify-ca',
  }
}

function fileOf(parameters: ReadonlyMap<string, string>, name: string): string | undefined {
  const path = parameters.get(name)
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new Error(`the file of ${name} cannot be read`)
  }
}

function portOf(port: string | null | undefined): number {
  const number = port ? Number(port) : DEFAULT_PORT
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw new Error('has a port that is none')
  return number
}
