import type { Reason } from './reasons.ts'

/** Registered with IANA, as of 2024-03, but for `ms-…`, http and https. */
const REGISTERED =
  'aaa aaas about acap acct acd acr adiumxtra adt afp afs aim amss android appdata apt ar ark at ' +
  'attachment aw barion bb beshare bitcoin bitcoincash blob bolo brid browserext cabal calculator ' +
  'callto cap cast casts chrome chrome-extension cid coap coap+tcp coap+ws coaps coaps+tcp ' +
  'coaps+ws com-eventbrite-attendee content content-type crid cstr cvs dab dat data dav dhttp ' +
  'diaspora dict did dis dlna-playcontainer dlna-playsingle dns dntp doi dpp drm drop dtmi dtn ' +
  'dvb dvx dweb ed2k eid elsi embedded ens ethereum example facetime fax feed feedready fido file ' +
  'filesystem finger first-run-pen-experience fish fm ftp fuchsia-pkg geo gg git gitoid ' +
  'gizmoproject go gopher graph grd gtalk h323 ham hcap hcp hs20 hxxp hxxps hydrazone hyper iax ' +
  'icap icon im imap info iotdisco ipfs ipn ipns ipp ipps irc irc6 ircs iris iris.beep iris.lwz ' +
  'iris.xpc iris.xpcs isostore itms jabber jar jms keyparc lastfm lbry ldap ldaps leaptofrogans ' +
  'lid linkid lorawan lpa lvlt machineprovisioningprogressreporter magnet mailserver mailto maps ' +
  'market matrix message microsoft.windows.camera microsoft.windows.camera.multipicker ' +
  'microsoft.windows.camera.picker mid mms modem mongodb moz msnim msrp msrps mss mt mtqp mumble ' +
  'mupdate mvn mvrp mvrps news nfs ni nih nntp notes num ocf oid onenote onenote-cmd ' +
  'opaquelocktoken openid openpgp4fpr otpauth p1 pack palm paparazzi payment payto pkcs11 ' +
  'platform pop pres prospero proxy psyc pttp pwid qb query quic-transport redis rediss reload ' +
  'res resource rmi rsync rtmfp rtmp rtsp rtsps rtspu sarif secondlife secret-token service ' +
  'session sftp sgn shc shelter shttp sieve simpleledger simplex sip sips skype smb smp sms smtp ' +
  'snews snmp soap.beep soap.beeps soldat spiffe spotify ssb ssh starknet steam stun stuns submit ' +
  'svn swh swid swidpath tag taler teamspeak tel teliaeid telnet tftp things thismessage tip ' +
  'tn3270 tool turn turns tv udp unreal upt urn ut2004 uuid-in-package v-event vemmi ventrilo ves ' +
  'videotex view-source vnc vscode vscode-insiders vsls w3 wais wasm wasm-js wcr web+ap web3 ' +
  'webcal wifi wpid ws wss wtai wyciwyg xcon xcon-userid xfire xftp xmlrpc.beep xmlrpc.beeps xmpp ' +
  'xrcp xri ymsgr z39.50 z39.50r z39.50s'
/** What browsers and systems take for themselves, or run. */
const OF_BROWSERS =
  'android-app arc brave chrome-devtools chrome-distiller chrome-error chrome-native ' +
  'chrome-search chrome-untrusted devtools duckduckgo edge extension firefox firefox-focus ' +
  'googlechrome googlechromes intent internet isolated-app javascript livescript microsoft-edge ' +
  'microsoft-edge-holographic mk mocha moz-extension moz-icon moz-page-thumb moz-safe-about ' +
  'opera opera-http opera-https safari-extension safari-resource safari-web-extension search-ms ' +
  'shell sosumi touch-http touch-https vbscript vivaldi webkit webviewprogressproxy x-safari ' +
  'x-safari-http x-safari-https'
const TAKEN = new Set(`${REGISTERED} ${OF_BROWSERS}`.split(' '))
/** A reversed domain name (RFC 8252 7.1), or one word; a single letter is a drive. */
const SHAPE = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$|^[a-z][a-z0-9+-]+$/

/** What a browser runs or opens in the name of a page. */
const DANGEROUS = ['javascript', 'data', 'vbscript', 'blob', 'file', 'about']

/** Why an app may not have this scheme for its own. */
export function checkOwnScheme(scheme: string): Reason | undefined {
  if (DANGEROUS.includes(scheme)) return { code: 'bad_scheme', values: { scheme } }
  if (TAKEN.has(scheme) || scheme.startsWith('ms-'))
    return { code: 'taken_scheme', values: { scheme } }
  return SHAPE.test(scheme) ? undefined : { code: 'malformed_scheme', values: { scheme } }
}
