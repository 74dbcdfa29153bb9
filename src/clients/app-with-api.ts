import type { EntityManager } from '../database/database.ts'
import { within } from '../database/transaction.ts'
import { AppError } from '../errors.ts'
import type { Clients, NewClient, Registration } from './clients.ts'
import type { ResourceInput } from './resource-fields.ts'
import type { Resources } from './resources.ts'

export interface AppWithApiDeps {
  readonly em: EntityManager
  readonly clients: Pick<Clients, 'prepare' | 'store'>
  readonly resources: Pick<Resources, 'create'>
}

/**
 * Registers an app and the API that is its own in one go, or neither. What is wrong with the API is
 * told as of a field of its own: `scopes` is `apiScopes`.
 */
export async function createAppWithApi(
  { em, clients, resources }: AppWithApiDeps,
  app: NewClient,
  api: ResourceInput,
): Promise<Registration> {
  const { wanted, ...prepared } = await clients.prepare(app)
  return within(em, undefined, async (tx) => {
    const { identifier, scopes } = await resources.create(api, tx).catch(asOfApi)
    const asked = wanted.scopes && [...new Set([...wanted.scopes, ...scopes])]
    const withApi = { ...wanted, resources: [...wanted.resources, identifier] }
    return clients.store(
      { ...prepared, wanted: asked ? { ...withApi, scopes: asked } : withApi },
      tx,
    )
  })
}

function asOfApi(error: unknown): never {
  if (!(error instanceof AppError)) throw error
  const { fields = {}, values = {} } = error.details
  throw new AppError(error.code, { fields: renamed(fields), values: renamed(values), cause: error })
}

function renamed<T>(fields: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name.replace(/^\w/, (letter) => `api${letter.toUpperCase()}`),
      value,
    ]),
  )
}
