import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import { freePort } from '../../src/embedded/free-port.ts'
import { run, type Settings, settingsFor } from '../support/commands.ts'
import { eventually } from '../support/eventually.ts'
import { basic } from '../support/protocol.ts'
import { startServer, type TestServer } from '../support/server.ts'
import type { Party } from './party.ts'
import { type Program, start } from './programs.ts'

/** A relying party that was registered by its line and runs. */
export interface RunningParty extends Program {
  /** Where it is for browsers. */
  readonly app: string
  /** Where it listens. */
  readonly port: number
  readonly clientId: string
  /** What `client create` printed. */
  readonly printed: Settings
}

/** One Gatehouse, its operator, and the folder in which a language has its programs. */
export class World implements AsyncDisposable {
  readonly server: TestServer
  readonly #data: string
  readonly #folder: string

  private constructor(server: TestServer, data: string, folder: string) {
    this.server = server
    this.#data = data
    this.#folder = folder
  }

  static async open(folder: string): Promise<World> {
    const data = await mkdtemp(join(tmpdir(), 'gatehouse-parties-'))
    const outgoing = { privateNetworks: [], loopback: true }
    const server = await startServer({ config: { outgoing } })
    return new World(server, data, join(import.meta.dirname, folder))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop()
    await rm(this.#data, { recursive: true })
  }

  /** What a command of the operator prints. */
  async command(...words: readonly string[]): Promise<Settings> {
    const { code, stdout, stderr } = await run([...words, '--json'], {
      ...settingsFor(this.server, this.#data),
      OUTGOING_LOOPBACK_FOR_TESTS: 'true',
    })
    expect([code, code === 0 ? '' : stderr]).toEqual([0, ''])
    return JSON.parse(stdout) as Settings
  }

  async start({
    name,
    api,
    create,
    settings = {},
    isLocal,
    program,
    health,
  }: Party): Promise<RunningParty> {
    const port = await freePort()
    const app = isLocal ? `http://localhost:${port}` : `https://app-${port}.example.com`
    const words = (line: string) =>
      line
        .replaceAll('{app}', app)
        .replaceAll('{inside}', `http://localhost:${port}`)
        .split(' ')
        .filter(Boolean)
    if (api) await this.command('resource', 'create', ...words(api))
    const label = `${name} ${randomUUID().slice(0, 4)}`
    const printed = await this.command('client', 'create', '--name', label, ...words(create))
    const running = await start(program, {
      folder: this.#folder,
      settings: filled(settings, { ...printed, ORIGIN: app, PORT: String(port) }),
      port,
    })
    const isReady = async () =>
      health === undefined || (await fetch(`http://localhost:${port}${health}`)).ok
    await eventually(isReady, true)
    return { ...running, app, port, printed, clientId: printed['OIDC_CLIENT_ID'] ?? '' }
  }

  /** A token that a service of its own gets for itself, for an API that exists. */
  async serviceToken(resource: string, scope: string): Promise<string> {
    const service = ['--type', 'service', '--name', 'Service']
    const may = ['--scope', scope, '--resource', resource]
    const printed = await this.command('client', 'create', ...service, ...may)
    const answer = await fetch(`${this.server.origin}/token`, {
      method: 'POST',
      headers: basic({
        clientId: printed['OIDC_CLIENT_ID'] ?? '',
        clientSecret: printed['OIDC_CLIENT_SECRET'],
      }),
      body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope }),
    })
    const body = (await answer.json()) as { access_token?: string }
    expect([answer.status, body]).toEqual([200, expect.anything()])
    return body.access_token ?? ''
  }

  /** The same for an API that is nobody's. */
  async tokenOfAnotherApi(scope: string): Promise<string> {
    const api = `https://${randomUUID()}.example/api`
    const facts = ['--name', 'Other', '--signing-alg', 'RS256', '--token-typ', 'JWT']
    await this.command('resource', 'create', '--identifier', api, ...facts, '--scope', scope)
    return this.serviceToken(api, scope)
  }

  /** How often a client has refreshed, by the server's own trail. */
  async refreshesOf(clientId: string): Promise<number> {
    const em = this.server.context.database.em.fork()
    const [row] = await em.execute<{ count: string }[]>(
      `select count(*) from audit_event where type = 'token_refreshed' and client_id = ?`,
      [clientId],
    )
    return Number(row?.count)
  }
}

/** All that is known, and the program's own names for it. */
function filled(own: Settings, known: Settings): Settings {
  const names = Object.entries(own).map(([name, value]): [string, string] => [
    name,
    value.replaceAll(/\{(\w+)\}/g, (_, wanted: string) => known[wanted] ?? ''),
  ])
  return { ...known, ...Object.fromEntries(names) }
}
