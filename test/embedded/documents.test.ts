import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'
import { freePort } from '../../src/embedded/free-port.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { ROOT } from '../support/sources.ts'
import { dataFolder, endWithTest } from './support.ts'

const run = promisify(execFile)

/** The commands of a document: what is indented, block by block. */
function blocksOf(document: string): string[] {
  const blocks =
    readFileSync(join(ROOT, document), 'utf8').match(/(?:^ {4}.*\n|^\n(?= {4}))+/gm) ?? []
  return blocks.map((block) => block.replace(/^ {4}/gm, '').trim())
}

function blockFrom(document: string, beginning: string): string {
  const found = blocksOf(document).filter((block) => block.startsWith(beginning))
  if (found.length !== 1 || !found[0])
    throw new Error(`${found.length} blocks of ${document} begin with ${beginning}`)
  return found[0]
}

/** The JSON at the end of what commands say. */
function answerIn(said: string): unknown {
  return JSON.parse(said.slice(said.indexOf('{')))
}

/** A clone as `npm ci` leaves it, in a folder of its own, so that what the commands write is not in ours. */
function clone(): string {
  const home = join(dirname(dataFolder()), 'data')
  mkdirSync(home, { mode: 0o755 })
  for (const name of ['bin', 'src', 'views', 'migrations', 'node_modules', 'package.json'])
    symlinkSync(join(ROOT, name), join(home, name))
  cpSync(join(ROOT, 'examples'), join(home, 'examples'), {
    recursive: true,
    filter: (path) => !/node_modules|\.env$/.test(path),
  })
  return home
}

it('README.md and the examples share one data folder, and every command of theirs does what it says', async () => {
  const home = clone()
  const [port, app, notes, orders] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const here = (text: string): string =>
    [
      [3000, port],
      [8080, app],
      [8081, notes],
      [9090, orders],
    ].reduce(
      (changed, [from, to]) => changed.replaceAll(`localhost:${from}`, `localhost:${to}`),
      text,
    )
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, PORT: String(port) }
  const shell = async (commands: string, cwd = home): Promise<string> =>
    (await run('sh', ['-ec', here(commands)], { cwd, env })).stdout
  /** Starts a program that stays, and waits until it answers. */
  const start = async (cwd: string, url: string, more: Record<string, string> = {}) => {
    const child = endWithTest(
      spawn('npm', ['start'], { cwd, env: { ...env, ...more }, stdio: 'ignore', detached: true }),
    )
    await eventually(
      () =>
        fetch(url).then(
          () => 'answers',
          () => 'is silent',
        ),
      'answers',
      60_000,
    )
    return child
  }
  const origin = `http://localhost:${port}`
  const server = await start(home, `${origin}/health/live`)
  try {
    const gatehouse = (command: string) =>
      blockFrom('README.md', `npm run --silent gatehouse -- ${command}`)
    expect(await shell(gatehouse('client create --name "My app"'))).toMatch(/^OIDC_CLIENT_SECRET=/m)
    await shell(gatehouse('client create --preset'))
    expect(await shell('cat grafana.env')).toMatch(/^GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET=/m)
    expect(await shell(gatehouse('group create'))).toMatch(/^OIDC_CLIENT_SECRET=/m)
    const invited = await shell(gatehouse('invite'))
    expect(invited).toMatch(/ada@example\.org[\s\S]*linus@example\.org/)
    await shell(gatehouse('client create --name Orders'))
    expect(await shell('cat orders.env')).toMatch(/^OIDC_AUDIENCE=/m)
    expect(answerIn(await shell(gatehouse('resource create')))).toMatchObject({
      token_type: 'Bearer',
      scope: 'orders:read',
    })

    const [settings = '', signUp = '', verify = '', signIn = ''] = blockFrom(
      'README.md',
      'API=',
    ).split(/\n\n(?=curl)/)
    const started = answerIn(await shell(`${settings}\n${signUp}`)) as {
      userId: string
      tokenId: string
    }
    const inbox = `${origin}/dev/inbox?to=grace`
    const mails = () =>
      fetch(inbox, { headers: { accept: 'application/json' } }).then(
        (answer) => answer.json() as Promise<{ text: string }[]>,
      )
    const code =
      /^ {4}(\d{3}) (\d{3})$/m
        .exec((await mails())[0]?.text ?? '')
        ?.slice(1)
        .join('') ?? ''
    const filled = verify
      .replace('"code":"…"', `"code":"${code}"`)
      .replace('"userId":"…"', `"userId":"${started.userId}"`)
    expect(
      answerIn(
        await shell(
          `${settings}\n${filled.replace('"tokenId":"…"', `"tokenId":"${started.tokenId}"`)}`,
        ),
      ),
    ).toHaveProperty('user.id')
    expect(answerIn(await shell(`${settings}\n${signIn}`))).toHaveProperty('access_token')

    // What npm would fetch is in the clone's own node_modules.
    const bare = (block: string): string => block.replace(/^npm (install|start)$/gm, '')
    await shell(bare(blockFrom('examples/node-api/README.md', 'npm run')))
    const api = await start(join(home, 'examples/node-api'), `http://localhost:${notes}/notes`, {
      PORT: String(notes),
    })
    expect(await shell(blockFrom('examples/node-api/README.md', '. ./note-taker.env'))).toContain(
      'Water the ferns',
    )
    await end(api)

    await shell(bare(blockFrom('examples/express-app/README.md', 'npm run')))
    const express = await start(join(home, 'examples/express-app'), `http://localhost:${app}/`)
    const away = await new Browser(`http://localhost:${app}`).visit('/sign-in')
    expect((await new Browser(origin).visit(away.url)).h1).toBe('Sign in')
    await end(express)
  } finally {
    await end(server)
  }
}, 180_000)

/** The program and what npm started for it. */
async function end(child: {
  readonly pid?: number | undefined
  readonly exitCode: number | null
}): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return
  const group = -child.pid
  process.kill(group, 'SIGTERM')
  const isOver = () => {
    try {
      process.kill(group, 0)
      return 'runs'
    } catch {
      return 'over'
    }
  }
  await eventually(async () => isOver(), 'over')
}
