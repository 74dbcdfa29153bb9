import type { Terms } from '../../src/config/config.ts'
import type { TestServer } from './server.ts'

/** As if the operator had published them, or taken them back, and started the server again. */
export function publishTerms({ context }: TestServer, terms: Terms | undefined): void {
  Object.defineProperty(context.acceptances, 'terms', { value: terms, configurable: true })
}

export const TERMS = { version: '2026-11', url: 'https://example.org/terms' }
export const NEWER_TERMS = { ...TERMS, version: '2027-01' }
