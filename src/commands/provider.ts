import { Command, Option } from 'commander'
import type { ProviderRemoval } from '../accounts/identities/provider-removal.ts'
import type { Provider } from '../entities/index.ts'
import type { ProviderInput } from '../upstream/provider-input.ts'
import type { ProviderStore } from '../upstream/provider-store.ts'
import type { RelyingParty } from '../upstream/relying-party.ts'
import { type Answer, answering } from './answer.ts'
import { linesOf } from './client-document.ts'
import { checkProvider } from './provider-check.ts'
import { deletionAnswer } from './provider-deletion.ts'
import { addressesToRegister, providerDocument, stateOf } from './provider-document.ts'
import {
  addProviderOptions,
  PROVIDER_OPTIONS,
  type ProviderOptions,
  providerFields,
} from './provider-options.ts'
import { explained } from './refusal.ts'

export interface ProviderCommandDeps extends AsyncDisposable {
  readonly providerStore: ProviderStore
  readonly providerRemoval: ProviderRemoval
  readonly relyingParty: RelyingParty
  readonly config: { readonly issuer: string }
}
type Work<T> = (deps: ProviderCommandDeps) => Promise<T>

const ABSENT = 'There is no provider of that id. "provider list" has them all.'

/** `gatehouse provider …`: whom people sign in with, besides by what they have here. */
export function providerCommand(open: () => Promise<ProviderCommandDeps>): Command {
  const command = new Command('provider').description(
    'let people sign in with Google, GitHub, Apple, Microsoft or any OpenID provider',
  )

  async function run<T>(work: Work<T>): Promise<T> {
    await using deps = await open()
    return await explained(() => work(deps), PROVIDER_OPTIONS, ABSENT)
  }

  const create = command
    .command('create')
    .description('register a provider; prints what to register over there')
    .addOption(
      new Option('--type <type>', 'what it is')
        .choices(['google', 'github', 'oidc', 'apple', 'microsoft'])
        .makeOptionMandatory(),
    )
    .option('--id <id>', 'its part of the redirect URI, for good (default: its type)')
  addProviderOptions(create, { isChange: false }).action(
    answering(
      ({ type, id, ...options }: ProviderOptions & { type: ProviderInput['kind']; id?: string }) =>
        run(async ({ providerStore, config }) => {
          const { secret, ...fields } = providerFields(options)
          const made = await providerStore.create({ ...fields, id, kind: type }, secret)
          return saying(`${made.id} is registered, and people see it from now on.`, made, config)
        }),
    ),
  )

  command
    .command('list')
    .description('all providers, one a line in the order of their buttons: id, type, state, name')
    .action(
      answering(() =>
        run(async ({ providerStore, config }) => {
          const all = await providerStore.list()
          return {
            lines: all.map((each) => [each.id, each.kind, stateOf(each), each.name].join('\t')),
            json: all.map((each) => providerDocument(each, config.issuer)),
          }
        }),
      ),
    )

  command
    .command('show <id>')
    .description('how a provider is registered, one fact a line; never its secret')
    .action(
      answering((id: string) =>
        run(async ({ providerStore, config }) => {
          const shown = providerDocument(await providerStore.get(id), config.issuer)
          return { lines: linesOf(shown), json: shown }
        }),
      ),
    )

  command
    .command('check <id>')
    .description('ask the provider itself, and say what is wrong; exit code 1 if something is')
    .action(
      answering((id: string) =>
        run(async ({ providerStore, relyingParty, config }) =>
          checkProvider(await providerStore.get(id), relyingParty, config.issuer),
        ),
      ),
    )

  const update = command
    .command('update <id>')
    .description('change a provider; what is not named stays as it is')
  addProviderOptions(update, { isChange: true }).action(
    answering((id: string, options: ProviderOptions) =>
      run(async ({ providerStore, config }) => {
        const { provider, changed } = await providerStore.update(id, providerFields(options))
        const done = changed.length === 0 ? 'is like that already' : 'is changed'
        return {
          lines: [`${id} ${done}.`],
          json: providerDocument(provider, config.issuer),
        }
      }),
    ),
  )

  for (const [word, isOn, done] of [
    ['disable', false, 'is disabled: nobody comes by it, and who is on the way comes to nothing.'],
    ['enable', true, 'is enabled; people see it from now on.'],
  ] as const)
    command
      .command(`${word} <id>`)
      .description(isOn ? 'let people come by it again' : 'let nobody come by it any more')
      .action(
        answering((id: string) =>
          run(async ({ providerStore }) => {
            await providerStore.setEnabled(id, isOn)
            return { lines: [`${id} ${done}`], json: { id, state: `${word}d` } }
          }),
        ),
      )

  command
    .command('delete <id>')
    .description('take a provider away; refused while people come by it')
    .option(
      '--move-to-email-code',
      'disconnect them: they sign in with codes by mail, and are told',
    )
    .action(
      answering((id: string, { moveToEmailCode: movesPeople = false }: Deleting) =>
        run(async ({ providerRemoval }) =>
          deletionAnswer(id, await providerRemoval.remove(id, { movesPeople })),
        ),
      ),
    )
  return command
}

interface Deleting {
  readonly moveToEmailCode?: boolean
}

function saying(done: string, made: Provider, { issuer }: { readonly issuer: string }): Answer {
  const addresses = addressesToRegister(made, issuer)
  return {
    lines: [done, 'Register over there:', ...linesOf(addresses)],
    json: providerDocument(made, issuer),
  }
}
