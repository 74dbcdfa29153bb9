import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { GuardedFetchOptions } from '../../src/outgoing/guarded-fetch.ts'
import { PICTURES_CERTIFICATE, PICTURES_KEY } from './loopback-certificate.ts'

/** One pixel. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
export const JPEG = Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex')
export const WEBP = Buffer.from('524946461a000000574542505650384c0d0000002f0000000107109100', 'hex')

/** What a path answers; a buffer is sent as it is. */
type Answer = RequestListener | Buffer

/** The site `pictures.example`, on loopback, with what a server needs to reach it. */
export class PictureSite implements AsyncDisposable {
  readonly answers = new Map<string, Answer>()
  readonly asked: string[] = []
  readonly #server = createServer(
    { key: PICTURES_KEY, cert: PICTURES_CERTIFICATE },
    (request, response) => {
      const path = request.url ?? ''
      this.asked.push(path)
      const answer = this.answers.get(path)
      if (typeof answer === 'function') answer(request, response)
      else response.writeHead(answer ? 200 : 404).end(answer)
    },
  )

  static async open(): Promise<PictureSite> {
    const site = new PictureSite()
    await new Promise<void>((resolve) => site.#server.listen(0, '127.0.0.1', resolve))
    return site
  }

  /** Everything but the one address of this site is as far away as it is in production. */
  readonly outgoing: GuardedFetchOptions = {
    resolve: async (host) => [host === 'pictures.example' ? '127.0.0.1' : '10.0.0.1'],
    isAllowed: (address) => address === '127.0.0.1',
    ca: PICTURES_CERTIFICATE,
  }

  url(path: string): string {
    return `https://pictures.example:${(this.#server.address() as AddressInfo).port}${path}`
  }

  /** The address of a new picture. */
  put(path: string, answer: Answer): string {
    this.answers.set(path, answer)
    return this.url(path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
