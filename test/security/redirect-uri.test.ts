import { describe, expect, it } from '@jest/globals'
import { inWords } from '../../src/clients/reasons.ts'
import { shownAddress } from '../../src/clients/redirect-kind.ts'
import { type ClientType, checkRedirectUri } from '../../src/clients/redirect-uri.ts'
import { fastest } from '../support/fastest.ts'

type Vector = readonly [type: ClientType, uri: string]
type Refusal = readonly [type: ClientType, uri: string, reason: RegExp]

const ALLOWED: readonly Vector[] = [
  ['web', 'https://app.example.com/callback'],
  ['web', 'https://app.example.com'],
  ['web', 'https://app.example.com/'],
  ['web', 'https://app.example.com:8443/callback'],
  ['web', 'https://app.example.com/callback?tenant=7&next=%2Fhome'],
  ['web', 'https://xn--bcher-kva.example/callback'],
  ['web', 'https://192.0.2.7/callback'],
  ['web', 'https://app.example.com/a..b/c...'],
  ['web', 'https://app.example.com/~user/call-back_1.html'],
  ['web', 'http://localhost:3000/callback'],
  ['web', 'http://127.0.0.1/callback'],
  ['spa', 'http://localhost:5173/'],
  ['spa', 'https://spa.example.com/'],
  ['native', 'http://127.0.0.1/callback'],
  ['native', 'http://[::1]/callback'],
  ['native', 'http://localhost:51004/callback'],
  ['native', 'https://app.example.com/claimed'],
  ['native', 'com.example.app:/callback'],
  ['native', 'com.example.app://callback'],
  ['native', 'audiobookshelf://oauth'],
  ['native', 'my-app+v2:/callback'],
  ['web', 'app.immich:///oauth-callback'],
  ['web', 'audiobookshelf://oauth'],
]

/** Plain http where the operator allows it: nobody else's host. */
const PRIVATE = [
  'http://10.0.0.1/callback',
  'http://10.255.255.255/',
  'http://172.16.0.1/callback',
  'http://172.31.255.255:8123/callback',
  'http://192.168.1.5:8080/callback?a=b',
  'http://100.64.0.1/callback',
  'http://100.127.255.255/callback',
  'http://[fd12:3456:789a::1]:8080/callback',
  'http://[fc00::1]/callback',
  'http://homeassistant.local:8123/auth/callback',
  'http://my-nas.lan/callback',
  'http://cloud.nas.lan/callback',
  'http://wiki.home.arpa/callback',
]
/** What looks like it, and is somebody else's, or nobody's. */
const NOT_PRIVATE: readonly (readonly [uri: string, reason: RegExp])[] = [
  ['http://10.0.0.1.evil.example/callback', /plain http;/],
  ['http://192.168.1.5.nip.io/callback', /plain http;/],
  ['http://printer.local@evil.example/callback', /user name/],
  ['http://printer.local@evil/callback', /user name/],
  ['http://10.0.0.1@evil.example/callback', /user name/],
  ['http://user@printer.local/callback', /user name/],
  ['http://:@printer.local/callback', /user name/],
  ['http://evil.example#@printer.local/', /fragment/],
  ['http://evil.example\\@printer.local/', /backslash/],
  ['http://printer.local.evil.example/callback', /plain http;/],
  ['http://printer.local./callback', /ends in a dot/],
  ['http://printer.localhost/callback', /plain http;/],
  ['http://printer.locale/callback', /plain http;/],
  ['http://printer.internal/callback', /plain http;/],
  ['http://evil-local/callback', /plain http;/],
  ['http://local/callback', /plain http;/],
  ['http://lan/callback', /plain http;/],
  ['http://home.arpa/callback', /plain http;/],
  ['http://evilhome.arpa/callback', /plain http;/],
  ['http://-x.local/callback', /plain http;/],
  ['http://nas/callback', /plain http;/],
  ['http://10.0.0.1:6379/callback', /port 6379/],
  ['http://10.0.0.1:25/callback', /port 25/],
  ['http://10.0.0.1:80/callback', /canonical/],
  ['http://10.1/callback', /canonical/],
  ['http://0x0a000001/callback', /canonical/],
  ['http://167772161/callback', /canonical/],
  ['http://010.0.0.1/callback', /plain http;|canonical/],
  ['http://172.32.0.1/callback', /plain http;/],
  ['http://172.15.255.255/callback', /plain http;/],
  ['http://11.0.0.1/callback', /plain http;/],
  ['http://100.128.0.1/callback', /plain http;/],
  ['http://100.100.100.200/callback', /plain http;/],
  ['http://169.254.169.254/callback', /plain http;/],
  ['http://0.0.0.0/callback', /plain http;/],
  ['http://127.0.0.2/callback', /plain http;/],
  ['http://192.0.2.7/callback', /plain http;/],
  ['http://[fe80::1]/callback', /plain http;/],
  ['http://[fd00:ec2::254]/callback', /plain http;/],
  ['http://[::ffff:10.0.0.1]/callback', /plain http;/],
  ['http://[::ffff:a00:1]/callback', /plain http;/],
  ['http://[64:ff9b::a00:1]/callback', /plain http;/],
  ['http://[2002:a00:1::]/callback', /plain http;/],
  ['http://[2001:db8::1]/callback', /plain http;/],
  ['http://[fd00::1%25eth0]/callback', /not a valid URL/],
  ['http:\\\\10.0.0.1/callback', /backslash/],
  ['http:/10.0.0.1/callback', /no host/],
  ['http://10.0.0.1/../callback', /dot segment/],
  ['http://10.0.0.1/*', /wildcard/],
  ['http://10.0.0.1/callback?code=1', /"code"/],
]

/** Schemes that other programs, systems and standards have. */
const TAKEN =
  'javascript vbscript data blob file about ftp ws wss mailto tel sms ssh git news urn ldap redis ' +
  'chrome chrome-extension moz-extension view-source resource jar res filesystem content intent ' +
  'android-app microsoft-edge firefox opera brave edge search-ms ms-word ms-settings ms-anything ' +
  'vscode otpauth iris.beep soap.beep z39.50s itms market steam spotify webcal'

const REFUSED: readonly Refusal[] = [
  ['web', '', /empty/],
  ['web', `https://app.example.com/${'a'.repeat(2000)}`, /longer/],
  // Fragments
  ['web', 'https://app.example.com/callback#', /fragment/],
  ['web', 'https://app.example.com/callback#token', /fragment/],
  ['native', 'com.example.app:/callback#x', /fragment/],
  // Wildcards
  ['web', 'https://*.example.com/callback', /wildcard/],
  ['web', 'https://app.example.com/*', /wildcard/],
  ['web', 'https://*', /wildcard/],
  ['web', 'https://app.example.com:*/callback', /wildcard/],
  // Who is the host, really
  ['web', 'https://app.example.com@evil.example/callback', /user name/],
  ['web', 'https://user:secret@app.example.com/callback', /user name/],
  ['web', 'https://@app.example.com/callback', /user name/],
  ['web', 'https://app.example.com%40evil.example/callback', /not a valid URL|canonical/],
  ['web', 'http://127.0.0.1@evil.example/callback', /user name/],
  ['native', 'com.example.app://user@host/callback', /user name/],
  // Schemes
  ['web', 'javascript:alert(1)', /javascript:/],
  ['web', 'JavaScript:alert(1)', /javascript:/],
  ['native', 'javascript://app.example.com/%0aalert(1)', /control/],
  ['native', 'javascript://app.example.com/', /javascript:/],
  ['web', 'data:text/html,hello', /data:/],
  ['native', 'data:text/html;base64,PHA+', /data:/],
  ['web', 'vbscript:msgbox', /vbscript:/],
  ['native', 'vbscript:msgbox', /vbscript:/],
  ['native', 'file:///etc/passwd', /file:/],
  ['native', 'blob:https://app.example.com/1', /blob:/],
  ['native', 'about:blank', /about:/],
  ['web', 'ftp://app.example.com/callback', /ftp:/],
  ['web', 'ws://app.example.com/callback', /ws:/],
  ['spa', 'com.example.app:/callback', /in the browser/],
  ['spa', 'myapp:/callback', /in the browser/],
  ['native', 'c:/callback', /reversed domain/],
  ['native', '-app:/callback', /absolute/],
  ['native', 'MyApp:/callback', /canonical/],
  ['web', 'myapp://user@host/callback', /user name/],
  ['native', 'com..app:/callback', /reversed domain/],
  ['native', 'com.example.app.:/callback', /reversed domain/],
  ['native', 'Com.Example.App:/callback', /canonical/],
  // Plain http off loopback
  ['web', 'http://app.example.com/callback', /plain http/],
  ['spa', 'http://app.example.com/callback', /plain http/],
  ['native', 'http://app.example.com/callback', /plain http/],
  ['web', 'http://localhost.evil.example/callback', /plain http/],
  ['web', 'http://127.0.0.1.evil.example/callback', /plain http/],
  ['web', 'http://localhostevil/callback', /plain http/],
  ['web', 'http://127.0.0.2/callback', /plain http/],
  ['web', 'http://0.0.0.0/callback', /plain http/],
  ['web', 'http://10.0.0.1/callback', /plain http/],
  ['web', 'http://[::ffff:127.0.0.1]/callback', /plain http/],
  ['web', 'http://2130706433/callback', /canonical/],
  ['web', 'http://0x7f.1/callback', /canonical/],
  ['web', 'http://localhost./callback', /ends in a dot/],
  ['native', 'https://localhost/callback', /loopback/],
  // What is no web server
  ['web', 'https://app.example.com:25/callback', /port 25/],
  ['web', 'https://app.example.com:6379/callback', /port 6379/],
  ['spa', 'http://localhost:5432/', /port 5432/],
  ['native', 'http://127.0.0.1:6000/callback', /port 6000/],
  // Path tricks
  ['web', 'https://app.example.com/../callback', /dot segment/],
  ['web', 'https://app.example.com/callback/..', /dot segment/],
  ['web', 'https://app.example.com/./callback', /dot segment/],
  ['web', 'https://app.example.com/%2e%2e/callback', /dot segment/],
  ['web', 'https://app.example.com/%2E%2E/callback', /dot segment/],
  ['web', 'https://app.example.com/.%2e/callback', /dot segment/],
  ['web', 'https://app.example.com/%252e%252e/callback', /dot segment/],
  ['web', 'https://app.example.com/callback%2f..%2fadmin', /dot segment/],
  ['web', 'https://app.example.com/callback/..;/admin', /dot segment/],
  ['native', 'com.example.app:/a/../b', /dot segment/],
  ['web', 'https://app.example.com\\@evil.example/callback', /backslash/],
  ['web', 'https:\\\\app.example.com\\callback', /backslash/],
  ['web', 'https://app.example.com/%5c../callback', /backslash/],
  // Characters that parsers disagree about
  ['web', 'https://app.example.com/call\nback', /control/],
  ['web', 'https://app.example.com/call\tback', /control/],
  ['web', 'https://app.example.com/call\u0000back', /control/],
  ['web', 'https://app.example.com/call\u0085back', /control/],
  ['web', 'https://app.example.com/%0d%0aSet-Cookie:x', /control/],
  ['web', 'https://app.example.com/%00', /control/],
  ['web', ' https://app.example.com/callback', /white space/],
  ['web', 'https://app.example.com/callback ', /white space/],
  ['web', 'https://app.example.com/call\u00a0back', /white space/],
  ['web', 'https://app.example.com/call\u2028back', /white space/],
  ['web', 'https://b\u00fccher.example/callback', /ASCII/],
  ['web', 'https://\u0430pp.example.com/callback', /ASCII/],
  ['web', 'https://app.example.com\uff0fcallback', /ASCII/],
  ['web', 'https://app.example.com/\u202ekcabllac', /ASCII/],
  ['web', 'https://app.example.com/100%', /percent/],
  ['web', 'https://app.example.com/%zz', /percent/],
  ['web', 'https://app.example.com/"onload=x', /canonical/],
  ['web', 'https://app.example.com/<script>', /canonical/],
  // No host, or not as a client would send it
  ['web', 'https:///callback', /no host/],
  ['web', 'https:callback', /no host/],
  ['web', 'https:/app.example.com/callback', /no host/],
  ['web', 'https://', /no host/],
  ['web', 'https://?x=1', /no host/],
  ['web', '//app.example.com/callback', /absolute/],
  ['web', '/callback', /absolute/],
  ['web', 'app.example.com/callback', /absolute/],
  ['web', 'https://app.example.com:99999/callback', /not a valid URL/],
  ['web', 'https://app.example.com:443/callback', /canonical/],
  ['web', 'https://APP.example.com/callback', /canonical/],
  ['web', 'HTTPS://app.example.com/callback', /canonical/],
  ['web', 'https://app.example.com./callback', /ends in a dot/],
  // Parameters of the answer
  ['web', 'https://app.example.com/callback?code=1', /"code"/],
  ['web', 'https://app.example.com/callback?a=1&state=x', /"state"/],
  ['native', 'com.example.app:/callback?iss=x', /"iss"/],
]

describe('redirect URIs at registration', () => {
  it('AZ-01 has at least 80 hostile vectors', () => {
    expect(REFUSED.length).toBeGreaterThanOrEqual(80)
  })

  it.each(ALLOWED)('AZ-01 accepts for a %s app %s', (type, uri) => {
    expect(checkRedirectUri(uri, { type })).toBeUndefined()
  })

  it.each(REFUSED)('AZ-01 refuses for a %s app %j', (type, uri, reason) => {
    const refused = checkRedirectUri(uri, { type })
    expect(refused && inWords(refused)).toMatch(reason)
  })

  it.each(PRIVATE)('AZ-01 accepts %s only where the operator allows it', (uri) => {
    const refused = checkRedirectUri(uri, { type: 'web' })
    expect(refused && inWords(refused)).toMatch(/--allow-private-redirect/)
    expect(checkRedirectUri(uri, { type: 'web', allowPrivateRedirect: true })).toBeUndefined()
  })

  it.each(NOT_PRIVATE)(
    'AZ-01 refuses %j even where private networks are allowed',
    (uri, reason) => {
      const refused = checkRedirectUri(uri, { type: 'web', allowPrivateRedirect: true })
      expect(refused && inWords(refused)).toMatch(reason)
    },
  )

  it.each(TAKEN.split(' '))('AZ-01 lets no app have %s: for its own scheme', (scheme) => {
    for (const type of ['native', 'web'] as const)
      expect(checkRedirectUri(`${scheme}:/callback`, { type })?.code).toMatch(
        /^(bad|taken)_scheme$/,
      )
  })

  it('CL-05 shows of an address who answers there, and no host that an app has made up', () => {
    const shown = [
      'https://app.example.com:8443/callback',
      'http://192.168.1.5:8080/callback',
      'com.example.app:/callback',
      'myapp://accounts.google.com/callback',
    ].map(shownAddress)
    expect(shown).toEqual([
      'app.example.com:8443',
      '192.168.1.5:8080',
      'com.example.app:',
      'myapp:',
    ])
  })

  it('IN-09 answers within 20 ms to 50 kB of what makes patterns slow', async () => {
    for (const unit of ['a', '.', '%2e', '../', ';', ':', '@', 'a.']) {
      const cost = await fastest(() => {
        checkRedirectUri(`https://app.example.com/${unit.repeat(50_000 / unit.length)}`, {
          type: 'web',
        })
        checkRedirectUri(`${unit.repeat(50_000 / unit.length)}:/x`, { type: 'native' })
      })
      expect(cost).toBeLessThan(20)
    }
  })
})
