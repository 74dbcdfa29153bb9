import type { SignedInApp } from './protocol.ts'
import type { TestServer } from './server.ts'

type Ending = (server: TestServer, app: SignedInApp) => Promise<unknown>

/** What ends all that an app was given for a person, by its title. */
export const ENDINGS: readonly (readonly [string, Ending])[] = [
  [
    'SE-07 the account is disabled',
    ({ context }, { account }) =>
      context.database.pool.query(`update "account" set "status" = 'disabled' where "id" = $1`, [
        account.id,
      ]),
  ],
  [
    'SE-06 the person signs out',
    async (_server, { browser }) => {
      await browser.visit('/session/end')
      await browser.submit('/session/end/confirm', {}, { button: 'logout', follow: false })
    },
  ],
  [
    'the consent is taken back',
    ({ context }, { account, client }) => context.access.revokeApp(account.id, client.clientId),
  ],
]
