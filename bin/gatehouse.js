#!/usr/bin/env node
// Must parse on any Node since 18: it is what finds a Node that can run the rest.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Type stripping and MikroORM 7 need it. */
const OLDEST = [22, 18]
/** From here on type stripping prints no warning. */
const PREFERRED = [24, 12]

/** Well within the second in which a further signal counts as the first one. */
const PARENT_POLL_MS = 500

const script = fileURLToPath(import.meta.url)
const bundled = isAtLeast(PREFERRED) ? undefined : bundledNode()
if (process.env.npm_lifecycle_event === 'start') endWithParent()
if (bundled) runWith(bundled)
else runHere()

function isAtLeast([major, minor]) {
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number)
  return ourMajor > major || (ourMajor === major && ourMinor >= minor)
}

/** npm passes a signal to its shell, which ends without us: who stops `npm start` would leave the server behind. */
function endWithParent() {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    process.kill(process.pid, 'SIGTERM')
  }, PARENT_POLL_MS).unref()
}

/** The Node that npm installed beside us, unless it is the one that runs. */
function bundledNode() {
  const os = process.platform === 'win32' ? 'win' : process.platform
  try {
    const root = dirname(
      createRequire(import.meta.url).resolve(`node-${os}-${process.arch}/package.json`),
    )
    const path = join(root, 'bin', os === 'win' ? 'node.exe' : 'node')
    return existsSync(path) && path !== process.execPath ? path : undefined
  } catch {
    return undefined
  }
}

function runWith(node) {
  const child = spawn(node, [...process.execArgv, script, ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  // A terminal sends Ctrl-C to both of us; a second one would cut the shutdown short.
  const forward = (signal) => (signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal)
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'].filter(
    (signal) => signal in constants.signals,
  )
  for (const signal of signals) process.on(signal, forward)
  // Its C library or its permissions are not those of this system.
  child.on('error', runHere)
  child.on('exit', (code, signal) => {
    for (const name of signals) process.removeAllListeners(name)
    if (signal) process.kill(process.pid, signal)
    else process.exitCode = code ?? 1
  })
}

function runHere() {
  if (!isAtLeast(OLDEST)) {
    process.stderr.write(
      `Gatehouse needs Node ${OLDEST.join('.')} or newer, and this is Node ${process.versions.node}.\n`,
    )
    process.stderr.write(
      'Install Node 24 LTS from https://nodejs.org/, or run "npm ci" again without "--omit=optional".\n',
    )
    process.exitCode = 1
    return
  }
  // Later starts skip compiling and stripping. Where the folder cannot be written nothing happens.
  module.enableCompileCache?.(join(dirname(dirname(script)), 'node_modules', '.cache', 'gatehouse'))
  if (module.flushCompileCache) setTimeout(module.flushCompileCache, 5000).unref()
  void import('../src/cli.ts')
}
