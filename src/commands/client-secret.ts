import { Command } from 'commander'
import { answering, envAnswer, rowsAnswer } from './answer.ts'
import { type Open, withClients } from './with-clients.ts'

const DAY_MS = 86_400_000

/** `gatehouse client secret …`: a secret is changed without a break by adding one and removing the old. */
export function secretCommand(open: Open): Command {
  const command = new Command('secret').description('secrets of an app: several at a time')

  command
    .command('list <id>')
    .description('all, newest first: secret-id, label, created, expires, last used')
    .action(
      answering((id: string) =>
        withClients(open, async ({ clientSecrets }) =>
          rowsAnswer(
            (await clientSecrets.list(id)).map((secret) => ({
              id: secret.id,
              label: secret.label ?? null,
              created_at: secret.createdAt.toISOString(),
              expires_at: secret.expiresAt?.toISOString() ?? null,
              last_used_at: secret.lastUsedAt?.toISOString() ?? null,
            })),
          ),
        ),
      ),
    )

  command
    .command('add <id>')
    .description('print one more secret; those that are there stay good')
    .option('--label <text>', 'to know it by')
    .option('--days <number>', 'how long it is good; for ever unless told otherwise', Number)
    .action(
      answering((id: string, { label, days }: { label?: string; days?: number }) =>
        withClients(open, async ({ clientSecrets }) => {
          const expiresAt = days === undefined ? undefined : new Date(Date.now() + days * DAY_MS)
          const added = await clientSecrets.add(id, { label, expiresAt })
          const { lines, json } = envAnswer({ OIDC_CLIENT_SECRET: added.secret })
          return { lines, json: { id: added.id, ...(json as object) } }
        }),
      ),
    )

  command
    .command('remove <id> <secret-id>')
    .description('end one secret at once, on every instance')
    .action(
      answering((id: string, secretId: string) =>
        withClients(open, async ({ clientSecrets }) => {
          await clientSecrets.remove(id, secretId)
          return { lines: [`The secret ${secretId} of ${id} has ended.`], json: { id: secretId } }
        }),
      ),
    )
  return command
}
