export { oauthProvider } from '@better-auth/oauth-provider'
export { betterAuth } from 'better-auth'
export { getMigrations } from 'better-auth/db/migration'
export { jwt } from 'better-auth/plugins'
