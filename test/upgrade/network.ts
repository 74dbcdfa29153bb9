/**
 * Loaded before the product (`node --import`): in the world of this process, the apps' host has a
 * public address, and what is sent there goes to the test. The product itself is as it is.
 */
import dns from 'node:dns/promises'
import https, { type RequestOptions } from 'node:https'
import { syncBuiltinESMExports } from 'node:module'
import { LOOPBACK_CERTIFICATE } from '../support/loopback-certificate.ts'
import { APPS_HOST, APPS_PORT } from './apps-host.ts'

const ADDRESS = '93.184.215.14'
const port = process.env[APPS_PORT]

const lookup = dns.lookup as (...words: unknown[]) => Promise<unknown>
const request = https.request as (...words: unknown[]) => unknown
Object.assign(dns, {
  lookup: async (host: string, options: unknown) =>
    host === APPS_HOST ? [{ address: ADDRESS, family: 4 }] : lookup(host, options),
})
Object.assign(https, {
  request: (options: RequestOptions, ...rest: unknown[]) =>
    request(options.host === ADDRESS ? { ...options, ...toTheTest() } : options, ...rest),
})
syncBuiltinESMExports()

const toTheTest = (): RequestOptions => ({
  host: '127.0.0.1',
  port,
  servername: 'localhost',
  ca: LOOPBACK_CERTIFICATE,
})
