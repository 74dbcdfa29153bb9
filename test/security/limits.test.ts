import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { CAPS, CLIENT_LIFETIMES, CONNECTIONS, LIFETIMES, LIMITS } from '../../src/config/limits.ts'

const document = readFileSync('docs/security.md', 'utf8')

/** Rows of the table under a heading: what stands in back quotes, and the cells after it. */
function rowsUnder(heading: string): [string, string[]][] {
  const [, section = ''] = document.split(`### ${heading}\n`)
  const [table = ''] = section.split(/\n#/)
  return [...table.matchAll(/^\| `([\w-]+)` \|(.+)\|$/gm)].map(([, name = '', cells = '']) => [
    name,
    cells.split('|').map((cell) => cell.trim()),
  ])
}

describe('docs/security.md', () => {
  it('AA-02 names every limit per network with its numbers, and no other', () => {
    const written = rowsUnder('Requests of one network').map(([name, [max, seconds]]) => [
      name,
      { max: Number(max), windowSeconds: Number(seconds) },
    ])
    expect(Object.fromEntries(written)).toEqual(LIMITS)
  })

  it('AA-02 names every cap with its number and the tests that prove it', () => {
    const rows = rowsUnder('Tries and mails, for all askers')
    expect(Object.fromEntries(rows.map(([name, [value]]) => [name, Number(value)]))).toEqual(CAPS)
    for (const [name, cells] of rows)
      expect([name, cells[2]]).toEqual([name, expect.stringMatching(/^[A-Z]{2}-\d\d/)])
  })

  it('AA-02 SE-04 names every lifetime', () => {
    expect(
      Object.fromEntries(
        rowsUnder('Lifetimes').map(([name, [seconds]]) => [name, Number(seconds)]),
      ),
    ).toEqual(LIFETIMES)
  })

  it('TK-17 names what a client may be given', () => {
    const written = rowsUnder('Lifetimes of one client').map(([name, [min, max]]) => [
      name,
      { min: Number(min), max: Number(max) },
    ])
    expect(Object.fromEntries(written)).toEqual(CLIENT_LIFETIMES)
  })

  it('F21 names what one connection may cost', () => {
    expect(
      Object.fromEntries(rowsUnder('Connections').map(([name, [value]]) => [name, Number(value)])),
    ).toEqual(CONNECTIONS)
  })

  it('has a record for every deviation', () => {
    const records = [...document.matchAll(/\]\((decisions\/[\w-]+\.md)\)/g)].map(([, path]) => path)
    expect(records.length).toBeGreaterThanOrEqual(7)
    for (const path of records) expect([path, existsSync(`docs/${path}`)]).toEqual([path, true])
  })
})
