import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs, parseEnv } from 'node:util'
import { CLAIMS, type Clients, configurationFor, ROLES, registrationOf } from './plans.ts'

const { values } = parseArgs({
  options: {
    suite: { type: 'string', default: 'https://localhost.emobix.co.uk:8443' },
    alias: { type: 'string', default: 'gatehouse' },
    email: { type: 'string' },
    password: { type: 'string' },
    'no-backchannel': { type: 'boolean', default: false },
  },
})
const { email, password } = values
if (!email || !password)
  throw new Error('Say who signs in: --email <address> --password <password>')

const CLI = join(import.meta.dirname, '../bin/gatehouse.js')
const gatehouse = (...args: string[]): string =>
  execFileSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })

/** Registers the clients, fills in the person, and prints what the official suite is told. */
const suite = { base: values.suite.replace(/\/$/, ''), alias: values.alias }
const backchannelLogout = !values['no-backchannel']
let issuer = ''
const clients = Object.fromEntries(
  ROLES.map((role) => {
    const printed = parseEnv(
      gatehouse('client', 'create', ...registrationOf(role, suite, { backchannelLogout })),
    )
    issuer = printed['OIDC_ISSUER'] ?? ''
    return [
      role,
      { client_id: printed['OIDC_CLIENT_ID'], client_secret: printed['OIDC_CLIENT_SECRET'] },
    ]
  }),
) as unknown as Clients
gatehouse('account', 'set', email, ...CLAIMS)
const configuration = configurationFor({ issuer, suite, clients, person: { email, password } })
process.stdout.write(`${JSON.stringify(configuration, null, 2)}\n`)
