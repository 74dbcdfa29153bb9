import { Command } from 'commander'
import type { AccountAdministration } from '../accounts/account-administration.ts'
import { ADDRESS_PARTS, type AddressInput } from '../accounts/attributes/postal-address.ts'
import { STANDARD_ATTRIBUTES } from '../accounts/attributes/standard.ts'
import type { Profile, ProfileChange } from '../accounts/profile.ts'
import { OPERATOR } from '../audit/event.ts'
import { StartupError } from '../errors.ts'
import { answering } from './answer.ts'

export interface SetCommandDeps {
  readonly administration: Pick<AccountAdministration, 'find'>
  readonly profile: Profile
}

/** Claims that are columns of `account`, and what the use case calls them. */
const COLUMNS = {
  name: 'name',
  picture: 'imageUrl',
  phone_number: 'phoneNumber',
  locale: 'locale',
} as const satisfies Readonly<Record<string, keyof ProfileChange>>
const PARTS = ADDRESS_PARTS.map((part) => `address.${part}`)
const CLAIMS = [...Object.keys(COLUMNS), ...STANDARD_ATTRIBUTES, ...PARTS]

/** `gatehouse account set`. `run` opens the use cases for one command. */
export function setCommand(
  run: <T>(work: (deps: SetCommandDeps) => Promise<T>) => Promise<T>,
): Command {
  return new Command('set')
    .argument('<email-or-id>')
    .argument('<claim=value...>')
    .description(
      `fill in what apps may know of a person; an empty value clears: ${CLAIMS.join(', ')}`,
    )
    .action(
      answering((account: string, settings: string[]) =>
        run(async ({ administration, profile }) => {
          const given = parsed(settings)
          const { id, email, address } = await administration.find(account)
          await profile.update(id, changeOf(given, address ?? {}), OPERATOR)
          const names = Object.keys(given)
          return {
            lines: [`${email} is changed: ${names.join(', ')}.`],
            json: { id, email, changed: names },
          }
        }),
      ),
    )
}

function parsed(settings: readonly string[]): Readonly<Record<string, string>> {
  const pairs = settings.map((setting) => {
    const at = setting.indexOf('=')
    const name = setting.slice(0, at)
    if (at < 1 || !CLAIMS.includes(name))
      throw new StartupError(
        `"${setting}" sets no claim. Write claim=value, with one of ${CLAIMS.join(', ')}.`,
      )
    return [name, setting.slice(at + 1)] as const
  })
  return Object.fromEntries(pairs)
}

/** Parts of an address that are not named stay as they are. */
function changeOf(given: Readonly<Record<string, string>>, before: AddressInput): ProfileChange {
  const named = Object.entries(given)
  const column = (name: string) => COLUMNS[name as keyof typeof COLUMNS] as string | undefined
  const columns = named.flatMap(([name, value]) => {
    const field = column(name)
    return field ? [[field, name === 'name' ? value : value || null] as const] : []
  })
  const parts = named.flatMap(([name, value]) =>
    PARTS.includes(name) ? [[name.replace('address.', ''), value] as const] : [],
  )
  const others = named.filter(([name]) => !column(name) && !PARTS.includes(name))
  return {
    ...Object.fromEntries(columns),
    attributes: {
      ...Object.fromEntries(others.map(([name, value]) => [name, value || null])),
      ...(parts.length > 0 ? { address: { ...before, ...Object.fromEntries(parts) } } : {}),
    },
  }
}
