import { describe, expect, it } from '@jest/globals'
import { chromium } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { createAccount } from '../support/factories.ts'
import { PAGES } from './javascript/pages.ts'
import { PARTIES } from './javascript/parties.ts'
import { VERIFIERS } from './javascript/verifiers.ts'
import { partiesOf } from './parties-of.ts'
import { isPath } from './party.ts'

await partiesOf('javascript', PARTIES, (world) => {
  describe('apps in the browser', () => {
    const { newPage } = chromium()

    it.each(PAGES)('$name $version signs in, refreshes if it can, and signs out', async (party) => {
      await using running = await world().start(party)
      const person = await createAccount(world().server)
      const page = await newPage()
      const said: string[] = []
      page.on('console', (line) => said.push(line.text()))
      page.on('pageerror', (error) => said.push(error.message))
      const shows = async (text: string) => {
        await page
          .getByText(text)
          .waitFor()
          .catch(async () => {
            throw new Error(
              `${page.url()} shows ${await page.innerText('body')}, not ${text}: ${said.join('\n')}`,
            )
          })
      }
      await page.goto(running.app)
      await shows('nobody')
      await page.click('#login')
      await page.fill('[name=username]', person.email)
      await page.fill('[name=password]', person.password)
      await page.press('[name=password]', 'Enter')
      await page.click('button[value=allow]')
      await shows(person.email)
      if (isPath(party.refresh)) {
        await page.click(party.refresh)
        await eventually(async () => (await world().refreshesOf(running.clientId)) > 0, true)
        await shows(person.email)
      }
      await page.click('#logout')
      await page.click('button[value=yes]')
      await shows('nobody')
      await page.click('#login')
      await page.locator('[name=password]').waitFor()
    })
  })

  describe('verifiers in JavaScript', () => {
    it('a token of the API is taken, one of another API and a damaged one are not', async () => {
      const { party, paths } = VERIFIERS
      await using running = await world().start(party)
      const ask = (path: string, token: string) =>
        fetch(`${running.app}${path}`, { headers: { authorization: `Bearer ${token}` } })
      const good = await world().serviceToken(`${running.app}/api`, 'read')
      const other = await world().tokenOfAnotherApi('read')
      for (const path of paths) {
        const answer = await ask(path, good)
        expect([path, answer.status, await answer.json()]).toEqual([path, 200, { scope: 'read' }])
        expect([path, (await ask(path, other)).status]).toEqual([path, 401])
        expect([path, (await ask(path, `${good.slice(0, -8)}AAAAAAAA`)).status]).toEqual([
          path,
          401,
        ])
      }
    })
  })
})
