import type { Context } from './context.ts'
import { randomToken } from './crypto/token.ts'
import { Account } from './entities/index.ts'
import { demoClient, demoResource } from './http/dev/demo.ts'

export interface Seeded {
  readonly email: string
  /** Only on the start that made the account: it is stored nowhere. */
  readonly password: string | undefined
}

const EMAIL = 'demo@example.com'

/** What a development start brings along: an account, the sample app and the API it calls (PW-14: never in production). */
export async function seedDevelopment({ database, hasher, clients, resources, config }: Context): Promise<Seeded> {
  await resources.ensure(demoResource(config.issuer))
  await clients.ensure(demoClient(config.issuer))
  const em = database.em.fork()
  if ((await em.count(Account)) > 0) return { email: EMAIL, password: undefined }
  const password = randomToken(120)
  const now = new Date()
  em.create(Account, {
    name: 'Demo Person',
    email: EMAIL,
    emailVerifiedAt: now,
    passwordHash: await hasher.hash(password),
    passwordChangedAt: now,
  })
  await em.flush()
  return { email: EMAIL, password }
}
