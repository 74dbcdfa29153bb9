import type { Secrets } from '../../src/config/config.ts'

/** The secrets of every test server; the keys in the template database are sealed under them. */
export const TEST_SECRETS: Secrets = {
  cookieKeys: ['Zk3vYt9mQ2xWc7Ls0aPdHf5rJg8uBn4e1oTiRyXq'],
  keyEncryptionKeys: ['Nw6pCj2bVs9kEz4hMt7qLx0gUf3aDy8rOi5cBlPe'],
}
