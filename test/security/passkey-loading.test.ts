import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { ROOT } from '../support/sources.ts'

/** What of the library is read when `program` is run in a process of its own. */
function run(program: string): string {
  const hook = `
    import { registerHooks } from 'node:module'
    globalThis.asked = []
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier.startsWith('@simplewebauthn/')) {
          globalThis.asked.push(specifier)
          if (globalThis.isMissing) throw new Error('it is not there')
        }
        return next(specifier, context)
      },
    })`
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e']
  return execFileSync(process.execPath, [...args, `${hook}\n${program}`], {
    cwd: ROOT,
    encoding: 'utf8',
  }).trim()
}

const at = (path: string) => JSON.stringify(join(ROOT, path))

it('the library for passkeys is not read at the start, nor for the pages', () => {
  const program = `
    await import(${at('src/app.ts')})
    await import(${at('src/context.ts')})
    console.log(JSON.stringify(globalThis.asked))`
  expect(JSON.parse(run(program))).toEqual([])
})

it('a server that cannot read it says that it is not available, each time', () => {
  const program = `
    globalThis.isMissing = true
    const { judgeAssertion } = await import(${at('src/accounts/factors/passkeys/webauthn.ts')})
    const credential = { id: 'a', rawId: 'a', type: 'public-key', response: {} }
    const codes = []
    for (let times = 0; times < 2; times += 1)
      await judgeAssertion(credential, new Uint8Array(), {}).catch(({ code }) => codes.push(code))
    console.log(JSON.stringify(codes))`
  expect(JSON.parse(run(program))).toEqual(['unavailable', 'unavailable'])
})
