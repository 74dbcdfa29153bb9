import { randomUUID } from 'node:crypto'
import { makeAccount } from './accounts/registration/make-account.ts'
import type { Context } from './context.ts'
import { randomSecret } from './crypto/token.ts'
import { Account } from './entities/index.ts'
import { AppError } from './errors.ts'
import { demoClient, demoResource } from './http/dev/demo.ts'

export interface Seeded {
  readonly email: string
  /** Only on the start that made the account: it is stored nowhere. */
  readonly password: string | undefined
}

const EMAIL = 'demo@example.com'

/** The sample app and the API it calls, on every development start. */
export async function seedDemoApp({ clients, resources, config }: Context): Promise<void> {
  await resources.ensure(demoResource(config.issuer))
  await clients.ensure(demoClient(config.issuer))
}

/**
 * An account on the first development start (PW-14: never in production). Undefined if there are
 * accounts, but not this one.
 */
export async function seedDemoAccount({
  database,
  hasher,
  registration,
}: Context): Promise<Seeded | undefined> {
  const em = database.em.fork()
  const known = async (): Promise<Seeded | undefined> =>
    (await em.count(Account, { email: EMAIL })) > 0
      ? { email: EMAIL, password: undefined }
      : undefined
  if ((await em.count(Account)) > 0) return known()
  const password = randomSecret(120)
  const demo = {
    id: randomUUID(),
    name: 'Demo Person',
    email: EMAIL,
    passwordHash: await hasher.hashOfStart(password),
  }
  try {
    await em.transactional((tx) =>
      makeAccount(tx, registration.byOperator(tx, EMAIL), demo, 'conflict'),
    )
  } catch (error) {
    // Another first start was quicker, and shows its password.
    if (error instanceof AppError && error.code === 'conflict') return known()
    throw error
  }
  return { email: EMAIL, password }
}
