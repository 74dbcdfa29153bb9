import { SecretBox } from '../../src/crypto/secret-box.ts'
import { openDatabase } from '../../src/database/database.ts'
import { createLogger } from '../../src/logger/logger.ts'
import { mailHandler } from '../../src/mail/handler.ts'
import { smtpTransport } from '../../src/mail/smtp.ts'
import { OutboxWorker } from '../../src/outbox/index.ts'

/**
 * A process that delivers one mail and is killed before it can record that:
 * `crashing-worker.ts <database> <smtp port> <keys...>`.
 */
const [url = '', port = '', ...keys] = process.argv.slice(2)
const database = await openDatabase({ url, pool: 2 })
const deliver = mailHandler(
  smtpTransport(`smtp://127.0.0.1:${port}`, {
    name: 'Gatehouse',
    address: 'no-reply@id.example.org',
  }),
)
const worker = new OutboxWorker({
  database,
  box: new SecretBox(keys),
  logger: createLogger('silent'),
  keepDelivered: false,
  handlers: {
    mail: async (body, delivery) => {
      await deliver(body, delivery)
      process.kill(process.pid, 'SIGKILL')
    },
  },
})
await worker.drain()
