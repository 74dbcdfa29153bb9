import { createHash, randomBytes } from 'node:crypto'

const HOURS_8 = 8 * 3600 * 1000

/**
 * Sessions in this process's memory; a real app keeps them in its database. The cookie is random and the store knows only its
 * digest. `req.session` is the session, `req.renewSession(data)` starts a new one in its place.
 */
export function sessions({ isSecure }) {
  const name = isSecure ? '__Host-app' : 'app'
  const store = new Map()
  const digest = (id) => createHash('sha256').update(id).digest('base64url')
  const cookie = { httpOnly: true, sameSite: 'lax', secure: isSecure, path: '/' }

  function start(res, data) {
    const id = randomBytes(32).toString('base64url')
    const session = { ...data }
    store.set(digest(id), session)
    setTimeout(() => store.delete(digest(id)), HOURS_8).unref()
    res.cookie(name, id, cookie)
    return session
  }

  return (req, res, next) => {
    const id = new RegExp(`(?:^|; )${name}=([\\w-]{43})(?:;|$)`).exec(req.headers.cookie ?? '')?.[1]
    req.session = (id && store.get(digest(id))) || start(res, {})
    req.renewSession = (data) => {
      if (id) store.delete(digest(id))
      req.session = start(res, data)
    }
    next()
  }
}
