import { afterAll, beforeAll } from '@jest/globals'
import type { Answered, Asked, TlsSite } from './tls.ts'

/** A provider on loopback, whose answer to the browser comes at once, without a page. */
export abstract class FakeProvider implements AsyncDisposable {
  abstract readonly site: TlsSite
  /** Every code and token that it gave out: none of them may be in a log. */
  readonly secrets: string[] = []

  /** For the tests of a file, or of a `describe`, whose end it shares. Call it once at the top. */
  static use<T extends FakeProvider>(this: new () => T): T {
    const provider = new this()
    beforeAll(() => provider.site.listen())
    afterAll(() => provider[Symbol.asyncDispose]())
    return provider
  }

  /** For one test, which closes it. */
  static async open<T extends FakeProvider>(this: new () => T): Promise<T> {
    const provider = new this()
    await provider.site.listen()
    return provider
  }

  get issuer(): string {
    return this.site.origin
  }

  /** What the browser is sent back with, for an authorization request. */
  async authorize(request: URL | string): Promise<URL> {
    const answer = this.answer({ url: new URL(request) })
    return new URL(answer.headers?.['location'] ?? '')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site[Symbol.asyncDispose]()
  }

  protected abstract answer(asked: Pick<Asked, 'url'>): Answered
}
