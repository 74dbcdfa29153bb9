import { assetPath } from '../../views/assets.ts'
import { Html, html, join } from '../../views/html.ts'
import type { InboxMail } from './inbox-mails.ts'

/** For developers only, hence in English; in the colours of the pages. */
const STYLE = new Html(`
:root { color-scheme: light dark; --ground: light-dark(#fbfaf7, #121413); --text: light-dark(#191b1a, #eceeea); --faint: light-dark(#5a5f5b, #a3aaa3); --line: light-dark(#e0ddd4, #2d322e); --accent: light-dark(#14553f, #8fd3b3) }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 2rem 1rem; max-width: 60rem; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.25rem; margin: 0 0 .25rem; overflow-wrap: anywhere }
p { margin: 0 0 1.5rem; color: var(--faint) }
a { color: var(--accent) }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px }
ol { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line) }
li { border-bottom: 1px solid var(--line) }
li { display: grid; gap: 0 1rem; grid-template-columns: 1fr auto; align-items: center }
li a { display: grid; gap: 0 1rem; grid-template-columns: 1fr auto; padding: .75rem .25rem; color: inherit; text-decoration: none }
form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: 0 0 1.5rem }
input, button { font: inherit; min-height: 2.25rem; padding: 0 .75rem; border: 1px solid var(--line); border-radius: 8px; background: none; color: inherit }
input { flex: 0 1 20rem; min-width: 0 }
button { cursor: pointer; color: var(--accent) }
button[hidden] { display: none }
li a:hover strong { color: var(--accent); text-decoration: underline }
li strong { overflow-wrap: anywhere }
li span { grid-column: 1; color: var(--faint); font-size: .875rem; overflow-wrap: anywhere }
time { color: var(--faint); font-size: .875rem; font-variant-numeric: tabular-nums }
@media (max-width: 34rem) { li, li a { grid-template-columns: 1fr } li button { justify-self: start; margin: 0 0 .75rem .25rem } iframe { height: 96rem } }
h2 { font-size: 1rem; margin: 2rem 0 .5rem }
/* As tall as the tallest mail: what has no origin cannot be asked for its height. */
iframe { width: 100%; height: 68rem; border: 1px solid var(--line); border-radius: 8px; background: #fff }
pre { margin: 0; padding: 1rem; border: 1px solid var(--line); border-radius: 8px; font: .875rem/1.6 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }`)

export function inboxPage(mails: readonly InboxMail[], wanted: string, nonce: string): string {
  const rows = mails.map(
    (mail) =>
      html`<li><a href="/dev/inbox/${mail.id}"><strong>${mail.subject}</strong> ${time(mail.createdAt)} <span>to ${mail.to}</span></a>${copyButton(mail)}</li>`,
  )
  const nothing = wanted
    ? 'No mail to this address.'
    : 'No mail yet. Sign up, or ask for a new password, and look here again.'
  const list = rows.length > 0 ? html`<ol>${join(rows)}</ol>` : html`<p>${nothing}</p>`
  const filter = html`<form method="get" action="/dev/inbox"><label for="to">Address</label><input id="to" name="to" value="${wanted}" autocomplete="off"><button>Show</button>${wanted ? html`<a href="/dev/inbox">Show all</a>` : ''}</form>`
  return page(
    'Inbox',
    nonce,
    html`<h1>Inbox</h1><p>Mail that would have been sent, newest first. This page exists in development only.</p>${filter}${list}`,
  )
}

export function mailPage(mail: InboxMail, nonce: string): string {
  const { id, subject, to, text, createdAt } = mail
  const body = html`<p><a href="/dev/inbox">Inbox</a></p><h1>${subject}</h1><p>to <a href="/dev/inbox?to=${encodeURIComponent(to)}">${to}</a>, ${time(createdAt)}</p>${copyButton(mail)}
<iframe src="/dev/inbox/${id}/html" title="The mail as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>
<h2>As text</h2><pre>${withLinks(text)}</pre>`
  return page(subject, nonce, body)
}

/** The code as the text has it: a line of its own. Seen only where the script can copy. */
function copyButton({ id, text }: InboxMail): Html {
  const code = /^ {4}(\d{3}) (\d{3})$/m.exec(text)?.slice(1).join('')
  return code
    ? html`<button type="button" id="${id}" data-copy="${id}" data-value="${code}" data-done="Copied" hidden>Copy ${code}</button>`
    : html``
}

function page(title: string, nonce: string, body: Html): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>
<style nonce="${nonce}">${STYLE}</style><script src="${assetPath('gatehouse.js')}" defer></script></head>
<body><main>${body}</main></body></html>`.toString()
}

function time(at: string): Html {
  return html`<time datetime="${at}">${at.slice(0, 19).replace('T', ' ')} UTC</time>`
}

function withLinks(text: string): Html {
  const parts = text.split(/(https?:\/\/[^\s<>"]+)/)
  return join(
    parts.map((part, index) =>
      index % 2 === 1 ? html`<a href="${part}">${part}</a>` : html`${part}`,
    ),
  )
}
