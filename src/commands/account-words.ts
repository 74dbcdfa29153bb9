/** What the reasons of accounts' fields are at the command line, as half sentences. */
export const ACCOUNT_WORDS: Readonly<Record<string, string>> = {
  invalid_email: 'is no e-mail address',
  registered_email: 'has an account already',
  invalid_username:
    'must be at most 40 letters, digits, ".", "_" and "-", with a letter or a digit at either end',
  reserved_username: 'is a name that software gives power to, or that people take for yours',
  given_username: 'is or was the name of an account; none is given twice',
  invalid_name: 'must be one line of up to 100 characters, without links',
  invalid_phone: 'must be a phone number with its country code, like +442079460000',
  invalid_url: 'must be an https URL with a public host name; of a website or profile also http',
  invalid_text: 'must be one line of up to 100 characters, without links',
  invalid_date: 'must be a date in the past, like 1990-05-23, 1990 or 0000-05-23',
  invalid_locale: 'must be a language tag, like en or pt-BR',
  invalid_zone: 'must be a time zone of the IANA database, like Europe/Berlin',
}
