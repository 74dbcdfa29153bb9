/** The account API on a page, made of its OpenAPI document. Everything is text in English. */
export interface ApiDocs {
  readonly title: string
  /** The document itself. */
  readonly documentHref: string
  /** The address that every path begins with. */
  readonly baseUrl: string
  readonly families: readonly {
    readonly name: string
    readonly operations: readonly DocumentedOperation[]
  }[]
  readonly refusals: readonly DocumentedRefusal[]
}

export interface DocumentedOperation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly description?: string | undefined
  /** Who may call it. */
  readonly guard: string
  readonly calls: readonly DocumentedExchange[]
  /** Codes. */
  readonly refusals: readonly string[]
}

export interface DocumentedExchange {
  readonly title?: string | undefined
  readonly fields: readonly {
    readonly name: string
    readonly type: string
    readonly description?: string | undefined
  }[]
  /** The call as a command, ready to paste but for `$TOKEN` and what earlier calls returned. */
  readonly curl: string
  readonly status: number
  readonly response?: string | undefined
}

export interface DocumentedRefusal {
  readonly status: number
  readonly code: string
  readonly message: string
}
