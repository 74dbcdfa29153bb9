import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { PLANS } from './modules.ts'

const HERE = import.meta.dirname
const tests = readdirSync(HERE)
  .filter((name) => !name.startsWith('modules.'))
  .map((name) => readFileSync(join(HERE, name), 'utf8'))
  .join('\n')
const README = readFileSync(join(HERE, '../../conformance/README.md'), 'utf8')

describe('the plans of the OpenID Foundation', () => {
  it.each(Object.entries(PLANS))('%s: every module has a test under its name', (plan, modules) => {
    expect(modules.filter((name) => !tests.includes(`'${name}'`))).toEqual([])
    expect(README).toContain(plan)
  })

  it('there is no test under a name of that kind that no plan has', () => {
    const known = new Set<string>([...Object.keys(PLANS), ...Object.values(PLANS).flat()])
    const named = [...tests.matchAll(/'(oidcc-[\w-]+)'/g)].map(([, name = '']) => name)
    known.add('oidcc-formpost-basic-certification-test-plan')
    expect(named.filter((name) => !known.has(name))).toEqual([])
  })

  it('are asked by a client that knows nothing of the server but what it publishes', () => {
    expect([...tests.matchAll(/from '[./]+\/src\//g)]).toEqual([])
  })
})
