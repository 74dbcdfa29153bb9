import { fold, type Token, tokensOf } from './html.ts'

export interface Field {
  readonly tag: string
  readonly type: string
  readonly name: string
  value: string
  checked: boolean
  /** Label of a button, options of a select. */
  text: string
  readonly options: string[]
  readonly disabled: boolean
  readonly attributes: Readonly<Record<string, string>>
}

export interface Form {
  readonly id: string | undefined
  readonly action: URL
  readonly method: string
  readonly fields: readonly Field[]
  readonly attributes: Readonly<Record<string, string>>
}

/** A string fills a field, a boolean ticks a box, null leaves the field out. */
export type Values = Readonly<Record<string, string | boolean | null>>

/** What a form sends so that no other site can send it; nothing where there is none. */
export const csrfOf = (form: Pick<Form, 'fields'> | undefined): string =>
  form?.fields.find(({ name }) => name === '_csrf')?.value ?? ''

/** All forms of a page, with the controls inside them and those that name them by `form="id"`. */
export function formsOf(html: string, base: URL): Form[] {
  const forms: (Form & { fields: Field[] })[] = []
  const adrift: { owner: string; field: Field }[] = []
  let open: (Form & { fields: Field[] }) | undefined
  let field: Field | undefined
  for (const token of tokensOf(html)) {
    if (token.kind === 'text') {
      if (field?.tag === 'textarea') field.value += token.text
      else if (field?.tag === 'button') field.text = fold(field.text + token.text)
    } else if (token.kind === 'close') {
      if (token.tag === 'form') open = undefined
      else if (token.tag === field?.tag) field = undefined
    } else if (token.tag === 'form') {
      open = formFrom(token.attributes, base)
      forms.push(open)
    } else if (token.tag === 'option') {
      if (field) addOption(field, token.attributes)
    } else {
      const made = fieldFrom(token)
      if (!made) continue
      const owner = made.attributes['form']
      if (owner !== undefined) adrift.push({ owner, field: made })
      else open?.fields.push(made)
      if (made.tag !== 'input') field = made
    }
  }
  for (const { owner, field: control } of adrift)
    forms.find((form) => form.id === owner)?.fields.push(control)
  return forms
}

function formFrom(
  attributes: Readonly<Record<string, string>>,
  base: URL,
): Form & { fields: Field[] } {
  const { action, method, id } = attributes
  return {
    id,
    action: new URL(action || base.href, base),
    method: (method ?? 'get').toUpperCase(),
    fields: [],
    attributes,
  }
}

function fieldFrom(token: Token): Field | undefined {
  if (token.kind !== 'open' || !['input', 'button', 'select', 'textarea'].includes(token.tag))
    return undefined
  const { tag, attributes } = token
  const type = (
    attributes['type'] ?? (tag === 'button' ? 'submit' : tag === 'input' ? 'text' : tag)
  ).toLowerCase()
  const value = attributes['value'] ?? (type === 'checkbox' || type === 'radio' ? 'on' : '')
  const text = tag === 'input' && type === 'submit' ? value : ''
  return {
    tag,
    type,
    name: attributes['name'] ?? '',
    value,
    checked: 'checked' in attributes,
    text,
    options: [],
    disabled: 'disabled' in attributes,
    attributes,
  }
}

function addOption(field: Field, attributes: Readonly<Record<string, string>>): void {
  const value = attributes['value'] ?? ''
  if (field.options.length === 0 || 'selected' in attributes) field.value = value
  field.options.push(value)
}

/**
 * What a browser would send. `button` is a button's value, name or label; without it the first
 * submit button is pressed. Throws when a field or button is not on the form: a person could not
 * fill it either.
 */
export function entriesOf(
  form: Form,
  values: Values,
  button?: string,
): { entries: [string, string][]; pressed: Field | undefined } {
  for (const name of Object.keys(values))
    if (!form.fields.some((field) => field.name === name))
      throw new Error(
        `The form ${form.action.pathname} has no field ${name}, only ${form.fields.map((field) => field.name).join(', ')}`,
      )
  const buttons = form.fields.filter((field) => field.type === 'submit' || field.type === 'image')
  const pressed =
    button === undefined
      ? buttons[0]
      : buttons.find((field) => [field.value, field.name, field.text].includes(button))
  if (button !== undefined && !pressed)
    throw new Error(`The form ${form.action.pathname} has no button ${button}`)

  const entries: [string, string][] = []
  for (const field of form.fields) {
    if (!field.name || field.disabled || field.type === 'button' || field.type === 'reset') continue
    if (buttons.includes(field)) {
      if (field === pressed) entries.push([field.name, field.value])
      continue
    }
    const given = values[field.name]
    if (given === null) continue
    const value = sent(field, given)
    if (value !== undefined) entries.push([field.name, value])
  }
  return { entries, pressed }
}

function sent(field: Field, given: string | boolean | undefined): string | undefined {
  if (field.type === 'checkbox')
    return (typeof given === 'string' ? given === field.value : (given ?? field.checked))
      ? field.value
      : undefined
  if (field.type === 'radio')
    return (given === undefined ? field.checked : given === field.value) ? field.value : undefined
  return given === undefined ? field.value : String(given)
}
