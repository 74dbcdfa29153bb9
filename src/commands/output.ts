type Fact = string | number | boolean | null

/** One row a line, its facts apart by tabs; with `--json` all of them as one document. */
export function printRows(rows: readonly Readonly<Record<string, Fact>>[], { json = false }: { readonly json?: boolean }): void {
  const lines = rows.map((row) =>
    Object.values(row)
      .map((fact) => fact ?? '')
      .join('\t'),
  )
  const text = json ? JSON.stringify(rows, undefined, 2) : lines.join('\n')
  if (text !== '') process.stdout.write(`${text}\n`)
}
