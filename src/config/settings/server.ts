import { z } from 'zod'
import { domain, flag, host, httpUrl, list } from '../setting-types.ts'

/** How it is reached and where it runs. */
export const SERVER_SETTINGS = {
  NODE_ENV: z
    .enum(['production', 'development', 'test'])
    .default('development')
    .describe(
      '`production` turns every development convenience off and demands the settings below. So does an `ISSUER` elsewhere.',
    ),
  ISSUER: httpUrl
    .optional()
    .describe(
      'The public base URL, exactly as clients will see it in `iss`. Default `http://localhost:$PORT`; must be https unless it is this machine: loopback or `*.localhost`.',
    ),
  PORT: z.coerce
    .number({ error: 'must be a port number' })
    .int()
    .min(0)
    .max(65_535)
    .default(3000)
    .describe('Port to listen on.'),
  HOST: host
    .optional()
    .describe(
      'Address to listen on. Default `127.0.0.1` in development; in production every one of this machine, IPv6 and IPv4.',
    ),
  TRUSTED_PROXY_HOPS: z.coerce
    .number()
    .int()
    .min(0)
    .max(10)
    .default(0)
    .describe(
      'Reverse proxies in front whose X-Forwarded-For entry is believed. 0: the socket address counts.',
    ),
  WEBFINGER_DOMAINS: list
    .pipe(z.array(domain).max(100))
    .optional()
    .describe(
      'Domains of accounts, separated by commas, whose people sign in here: apps that ask by WebFinger are told. See [WebFinger](#webfinger).',
    ),
  DATA_DIR: z
    .string()
    .min(1)
    .default('.data')
    .describe('Where development secrets and the embedded database live.'),
  DEV_INBOX: flag
    .default(false)
    .describe(
      "Development for an `ISSUER` or callers that are not this machine (containers, `.test`): anyone who reaches the server reads everybody's mail in `/dev/inbox`.",
    ),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
    .optional()
    .describe('Default `info` in production, `warn` otherwise.'),
}
