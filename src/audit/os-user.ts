import { userInfo } from 'node:os'

/** Who is at the command line, by the name that the operating system has for them. */
export function osUser(): string {
  try {
    return userInfo().username
  } catch {
    // In a container the user may have no name.
    return String(process.getuid?.() ?? 'unknown')
  }
}
