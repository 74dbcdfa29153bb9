import { spawn } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { freePort } from '../src/embedded/free-port.ts'
import { openHome } from '../src/embedded/home.ts'
import { findPostmaster } from '../src/embedded/postmaster.ts'
import { eventually } from './support/eventually.ts'

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), '..')
/** Preloaded: the first process believes that it is an old Node, the one it starts does not. */
const PRETEND = `if (!process.env.PRETENDED) {
  process.env.PRETENDED = 'yes'
  Object.defineProperty(process.versions, 'node', { value: process.env.PRETEND })
}`
const CLI = `const [, , what = ''] = process.argv
process.stdout.write(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() }) + '\\n')
if (what === 'wait') { process.on('SIGTERM', () => process.exit(7)); setInterval(() => undefined, 1000) }
if (what === 'die') process.kill(process.pid, 'SIGKILL')
process.exitCode = Number(what) || 0`

let root: string
beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), 'gatehouse-launcher-')), 'a folder with spaces')
  cpSync(join(PROJECT, 'bin'), join(root, 'bin'), { recursive: true })
  mkdirSync(join(root, 'src'))
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  writeFileSync(join(root, 'src/cli.ts'), `const typed: string = 'yes'; void typed\n${CLI}`)
  writeFileSync(join(root, 'pretend.cjs'), PRETEND)
})
afterEach(() => rmSync(dirname(root), { recursive: true, force: true }))

describe('bin/gatehouse.js', () => {
  it('runs from any folder, through a link, in a folder with spaces, with its arguments and exit code', async () => {
    symlinkSync(join(root, 'bin/gatehouse.js'), join(root, 'link'))
    const run = await launch(['3', '--x', 'two words'], { script: join(root, 'link') })
    expect(run).toMatchObject({ code: 3, stderr: '' })
    expect(JSON.parse(run.stdout)).toMatchObject({ args: ['3', '--x', 'two words'], cwd: tmpdir() })
  })

  it.each(['18.20.8', '20.20.2', '22.17.1', '24.11.0'])(
    'hands over from Node %s to the bundled one, silently',
    async (version) => {
      bundle((path) => symlinkSync(process.execPath, path))
      const run = await launch(['5'], { pretend: version })
      expect(run).toMatchObject({ code: 5, stderr: '' })
      expect(JSON.parse(run.stdout)).toMatchObject({ args: ['5'] })
      expect(run.stdout.trim().split('\n')).toHaveLength(1)
    },
  )

  it('passes SIGTERM on and returns the exit code that follows', async () => {
    bundle((path) => symlinkSync(process.execPath, path))
    expect(await launch(['wait'], { pretend: '20.20.2', signal: 'SIGTERM' })).toMatchObject({
      code: 7,
      signal: null,
    })
  })

  it('dies of the signal that ended the server', async () => {
    bundle((path) => symlinkSync(process.execPath, path))
    expect(await launch(['die'], { pretend: '20.20.2' })).toMatchObject({
      code: null,
      signal: 'SIGKILL',
    })
  })

  it.each([
    ['there is no bundled one', undefined],
    [
      'the bundled one cannot run here',
      (path: string) => writeFileSync(path, 'not a program', { mode: 0o644 }),
    ],
  ])('says in two lines which Node to install when %s', async (_, make) => {
    if (make) bundle(make)
    const run = await launch([], { pretend: '20.20.2' })
    expect(run).toMatchObject({ code: 1, stdout: '' })
    expect(run.stderr).toMatch(
      /^Gatehouse needs Node 22\.18 or newer, and this is Node 20\.20\.2\.\nInstall Node 24 LTS .+\n$/,
    )
  })

  it('runs on a new enough Node of the system without a bundled one', async () => {
    expect(await launch(['4'], { pretend: '22.18.0' })).toMatchObject({ code: 4 })
  })
})

describe('who starts the server by npm', () => {
  const WAITING = `process.stdout.write(process.pid + '\\n')
process.on('SIGTERM', () => { process.stdout.write('told\\n'); process.exit(0) })
setInterval(() => undefined, 1000)`

  /** A parent that is killed at once, and what its server said afterwards. */
  async function orphaned(event: string, pretend: Record<string, string>): Promise<string> {
    writeFileSync(join(root, 'src/cli.ts'), WAITING)
    const preload = Object.keys(pretend).length > 0 ? [`--require`, join(root, 'pretend.cjs')] : []
    const command = [process.execPath, ...preload, join(root, 'bin/gatehouse.js'), 'start']
    const code = `require('node:child_process').spawn(${JSON.stringify(command[0])}, ${JSON.stringify(command.slice(1))}, { stdio: 'inherit' })`
    const parent = spawn(process.execPath, ['-e', code], {
      env: { ...pretend, npm_lifecycle_event: event },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    parent.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
    })
    await eventually(() => said.endsWith('\n'), true)
    parent.kill('SIGKILL')
    const server = Number(said)
    try {
      await new Promise((resolve) => setTimeout(resolve, 2500))
      return said.slice(said.indexOf('\n') + 1)
    } finally {
      if (isAlive(server)) process.kill(server, 'SIGKILL')
    }
  }

  it.each([
    ['run here', {}],
    ['handed over to the bundled Node', { PRETEND: '20.20.2' }],
  ])('ends it on SIGTERM once npm is gone: %s', async (_, pretend) => {
    bundle((path) => symlinkSync(process.execPath, path))
    expect(await orphaned('start', pretend)).toBe('told\n')
  })

  it('leaves a server alone that npm start did not start', async () => {
    expect(await orphaned('gatehouse', {})).toBe('')
  })

  it('SIGTERM to npm alone closes the port and ends the embedded PostgreSQL', async () => {
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-npm-'))
    const { PATH, HOME } = process.env
    const npm = spawn('npm', ['start'], {
      cwd: PROJECT,
      env: { PATH, HOME, PORT: String(port), DATA_DIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const stderr = text(npm.stderr)
    let said = ''
    for await (const chunk of npm.stdout.setEncoding('utf8')) {
      said += chunk
      if (said.includes('Discovery')) break
    }
    const postmaster = findPostmaster(openHome(folder))?.pid ?? 0
    expect(postmaster).toBeGreaterThan(0)
    expect([await isListening(port), isAlive(postmaster)]).toEqual([true, true])
    npm.kill('SIGTERM')
    await eventually(async () => (await isListening(port)) || isAlive(postmaster), false, 60_000)
    expect(await stderr).toBe('')
    rmSync(folder, { recursive: true, force: true })
  }, 180_000)
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

describe('the command line', () => {
  const script = join(PROJECT, 'bin/gatehouse.js')

  it.each([
    ['strat', "error: unknown command 'strat'\n(Did you mean start?)\n"],
    ['acount', "error: unknown command 'acount'\n(Did you mean account?)\n"],
    ['strat --help', "error: unknown command 'strat'\n(Did you mean start?)\n"],
    ['account shwo -h', "error: unknown command 'shwo'\n(Did you mean show?)\n"],
  ])('starts nothing when it does not know the command %s', async (command, stderr) => {
    expect(await launch(command.split(' '), { script })).toMatchObject({
      code: 1,
      stdout: '',
      stderr,
    })
  })

  it.each(['', '--help', 'help'])('shows its commands for %j', async (option) => {
    const { code, stdout, stderr } = await launch(option.split(' ').filter(Boolean), { script })
    expect([code, stderr]).toEqual([0, ''])
    for (const command of ['start', 'migrate', 'account', 'client', 'keys', 'audit'])
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
  })

  it('shows the options of a command', async () => {
    expect((await launch(['keys', 'rotate', '--help'], { script })).stdout).toMatch(
      /--emergency[\s\S]*--json/,
    )
  })

  it.each(['--version', '-V'])('says its version for %s', async (option) => {
    const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
      version: string
    }
    expect(await launch([option], { script })).toMatchObject({
      code: 0,
      stdout: `${version}\n`,
      stderr: '',
    })
  })
})

function bundle(make: (path: string) => void): void {
  const folder = join(root, 'node_modules', `node-${process.platform}-${process.arch}`)
  mkdirSync(join(folder, 'bin'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{}')
  make(join(folder, 'bin/node'))
}

interface Launch {
  readonly script?: string
  readonly pretend?: string
  /** Sent as soon as the command line has spoken. */
  readonly signal?: NodeJS.Signals
}

async function launch(
  args: readonly string[],
  { script = join(root, 'bin/gatehouse.js'), pretend, signal }: Launch = {},
) {
  const preload = pretend ? ['--require', join(root, 'pretend.cjs')] : []
  const env = pretend ? { PRETEND: pretend } : {}
  const child = spawn(process.execPath, [...preload, script, ...args], {
    cwd: tmpdir(),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (signal) child.stdout.once('data', () => setTimeout(() => child.kill(signal), 500))
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.once('exit', (...how) => resolve(how)),
  )
  const [[code, killedBy], stdout, stderr] = await Promise.all([
    ended,
    text(child.stdout),
    text(child.stderr),
  ])
  return { code, signal: killedBy, stdout, stderr }
}
