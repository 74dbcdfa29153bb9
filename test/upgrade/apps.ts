import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { decodeJwt } from 'jose'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../support/loopback-certificate.ts'

export interface AppsServer extends AsyncDisposable {
  readonly port: number
  /** How the apps answer a notice from now on. */
  status: number
  /** `sid` of each notice that they took. */
  readonly heard: string[]
}

/** The addresses at which apps are told that a session has ended. */
export async function startApps(): Promise<AppsServer> {
  const server = createServer(
    { key: LOOPBACK_KEY, cert: LOOPBACK_CERTIFICATE },
    (request, response) => {
      let text = ''
      request.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8')
      })
      request.on('end', () => {
        const token = new URLSearchParams(text).get('logout_token') ?? ''
        if (apps.status === 200) apps.heard.push(String(decodeJwt(token)['sid']))
        response.writeHead(apps.status).end()
      })
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const apps: AppsServer = {
    port: (server.address() as AddressInfo).port,
    status: 200,
    heard: [],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return apps
}
