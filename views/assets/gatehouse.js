// Everything here is a convenience: each page does its work without it.
const all = (selector, root = document) => [...root.querySelectorAll(selector)]

// Show and hide a password (UX-8). The words come from the page's language.
const EYE =
  '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M2 12s3.500-6.500 10-6.500S22 12 22 12s-3.500 6.500-10 6.500S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z"/><path class="slash" d="M4 20L20 4"/></svg>'
for (const input of all('input[data-show]')) {
  const button = document.createElement('button')
  const show = (isShown) => {
    input.type = isShown ? 'text' : 'password'
    button.setAttribute('aria-pressed', String(isShown))
  }
  button.type = 'button'
  button.className = 'reveal'
  button.title = input.dataset.show
  button.setAttribute('aria-label', input.dataset.show)
  button.setAttribute('aria-controls', input.id)
  button.innerHTML = EYE
  button.addEventListener('click', () => show(input.type === 'password'))
  input.form.addEventListener('submit', () => show(false))
  addEventListener('pagehide', () => show(false))
  show(false)
  input.parentElement.dataset.revealed = ''
  input.after(button)
}

// What went wrong is read out first (UX-11).
document.querySelector('[data-focus]')?.focus()

// A link's secret stays in the form and leaves the address, so that history, screenshots and what is shared have none (EM-06).
if (document.querySelector('input[name=token]')) history.replaceState(null, '', location.pathname)

// "Send it again in 28 s" (UX-26). The button stays in the tab order; the server has its own limit.
for (const button of all('button[data-wait]')) {
  const end = Date.now() + Number(button.dataset.wait) * 1000
  const words = button.textContent
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000)
    button.textContent = left > 0 ? button.dataset.waiting.replace('{seconds}', left) : words
    button.setAttribute('aria-disabled', String(left > 0))
    if (left > 0) setTimeout(tick, 500)
  }
  if (Number(button.dataset.wait) > 0) tick()
}

// Copy and print appear only where they work.
for (const button of all('button[data-copy]')) {
  const source = document.getElementById(button.dataset.copy)
  button.hidden = !navigator.clipboard
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(source.dataset.value ?? source.innerText)
    const words = button.textContent
    button.textContent = button.dataset.done
    setTimeout(() => {
      button.textContent = words
    }, 2000)
  })
}
for (const button of all('button[data-print]')) {
  button.hidden = false
  button.addEventListener('click', () => print())
}

// A form is sent once, however often its button is pressed (UX-15); coming back by the back button frees it.
const sent = new WeakSet()
addEventListener('submit', (event) => {
  if (event.defaultPrevented) return
  if (sent.has(event.target) || event.submitter?.getAttribute('aria-disabled') === 'true')
    event.preventDefault()
  else sent.add(event.target)
  setTimeout(() => sent.delete(event.target), 4000)
})

// The sections scroll in one row; the current one is in sight.
document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })

// Another language keeps what was typed, but for passwords.
const kept = all('main input:not([type=hidden], [type=password], [readonly]), main select')
const held = (field) => (field.type === 'checkbox' ? 'checked' : 'value')
for (const form of all('form[action="/locale"]'))
  form.addEventListener('submit', () => {
    sessionStorage.typed = JSON.stringify([
      location.pathname,
      kept.map((field) => [field.id, field[held(field)]]),
    ])
  })
try {
  const [path, values] = JSON.parse(sessionStorage.typed ?? '[]')
  delete sessionStorage.typed
  if (path === location.pathname)
    for (const [id, value] of values) {
      const field = kept.find((each) => each.id === id)
      if (field) field[held(field)] = value
    }
} catch {
  // A browser that keeps nothing.
}

// Passkeys (UX-19, UX-20): what needs one is hidden until this browser is known to have them. A page has one request
// at a time: the next ends the one before.
const Passkey = window.PublicKeyCredential
const isAble = !!Passkey?.parseRequestOptionsFromJSON
let asking
async function ask(form, mediation) {
  asking?.abort()
  asking = new AbortController()
  const { signal } = asking
  const options = JSON.parse(form.dataset.passkey)
  const credential = await (options.user
    ? navigator.credentials.create({
        publicKey: Passkey.parseCreationOptionsFromJSON(options),
        signal,
      })
    : navigator.credentials.get({
        publicKey: Passkey.parseRequestOptionsFromJSON(options),
        mediation,
        signal,
      }))
  form.credential.value = JSON.stringify(credential)
  for (const name of ['remember', 'trust'])
    if (form[name]?.type === 'hidden')
      form[name].value = document.getElementById(name)?.checked ? 'yes' : ''
  form.requestSubmit()
}
// Offered in the list of the address field, for as long as nothing else is asked.
async function wait(form) {
  if ('conditional' in form.dataset && (await Passkey.isConditionalMediationAvailable?.()))
    ask(form, 'conditional').catch(() => {})
}
for (const form of isAble ? all('form[data-passkey]') : []) {
  form.credential.value = ''
  form.addEventListener('submit', (event) => {
    if (form.credential.value) return
    event.preventDefault()
    ask(form).catch(({ name }) => {
      if (name === 'AbortError') return
      for (const hint of all('[data-on]', form)) hint.hidden = !hint.dataset.on.includes(name)
      form.querySelector('button').focus()
      wait(form)
    })
  })
  wait(form)
}
addEventListener('submit', (event) => {
  if (!event.defaultPrevented) asking?.abort()
})
for (const part of all(isAble ? '[data-able]' : '[data-unable]')) part.hidden = false
if (isAble)
  Passkey.isUserVerifyingPlatformAuthenticatorAvailable?.().then((isThere) => {
    for (const field of all('input[name=passkeys]')) field.value = isThere ? '1' : ''
  })
// What is kept elsewhere learns which passkeys are left.
for (const { dataset } of all('[data-signal]'))
  for (const [name, said] of Object.entries(JSON.parse(dataset.signal)))
    Passkey?.[name]?.(said).catch(() => {})

for (const form of all('form[data-autosubmit]')) form.submit()
