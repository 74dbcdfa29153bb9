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
li a { display: grid; gap: 0 1rem; grid-template-columns: 1fr auto; padding: .75rem .25rem; color: inherit; text-decoration: none }
li a:hover strong { color: var(--accent); text-decoration: underline }
li strong { overflow-wrap: anywhere }
li span { grid-column: 1; color: var(--faint); font-size: .875rem; overflow-wrap: anywhere }
time { color: var(--faint); font-size: .875rem; font-variant-numeric: tabular-nums }
@media (max-width: 34rem) { li a { grid-template-columns: 1fr } }
h2 { font-size: 1rem; margin: 2rem 0 .5rem }
iframe { width: 100%; height: 42rem; border: 1px solid var(--line); border-radius: 8px; background: #fff }
pre { margin: 0; padding: 1rem; border: 1px solid var(--line); border-radius: 8px; font: .875rem/1.6 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }`)

export function inboxPage(mails: readonly InboxMail[], nonce: string): string {
  const rows = mails.map(
    ({ id, subject, to, createdAt }) =>
      html`<li><a href="/dev/inbox/${id}"><strong>${subject}</strong> ${time(createdAt)} <span>to ${to}</span></a></li>`,
  )
  const list = rows.length > 0 ? html`<ol>${join(rows)}</ol>` : html`<p>Sign up, or ask for a new password, and look here again.</p>`
  const lead = rows.length > 0 ? 'Mail that would have been sent, newest first.' : 'No mail yet.'
  return page('Inbox', nonce, html`<h1>Inbox</h1><p>${lead} This page exists in development only.</p>${list}`)
}

export function mailPage({ id, subject, to, text, createdAt }: InboxMail, nonce: string): string {
  const body = html`<p><a href="/dev/inbox">Inbox</a></p><h1>${subject}</h1><p>to ${to}, ${time(createdAt)}</p>
<iframe src="/dev/inbox/${id}/html" title="The mail as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>
<h2>As text</h2><pre>${withLinks(text)}</pre>`
  return page(subject, nonce, body)
}

function page(title: string, nonce: string, body: Html): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>
<style nonce="${nonce}">${STYLE}</style></head>
<body><main>${body}</main></body></html>`.toString()
}

function time(at: string): Html {
  return html`<time datetime="${at}">${at.slice(0, 19).replace('T', ' ')} UTC</time>`
}

function withLinks(text: string): Html {
  const parts = text.split(/(https?:\/\/[^\s<>"]+)/)
  return join(parts.map((part, index) => (index % 2 === 1 ? html`<a href="${part}">${part}</a>` : html`${part}`)))
}
