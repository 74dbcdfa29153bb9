/** What the reasons of accounts' fields are at the command line, as half sentences. */
export const ACCOUNT_WORDS: Readonly<Record<string, string>> = {
  invalid_username:
    'must be at most 40 letters, digits, ".", "_" and "-", with a letter or a digit at either end',
  reserved_username: 'is a name that software gives power to, or that people take for yours',
  given_username: 'is or was the name of an account; none is given twice',
}
