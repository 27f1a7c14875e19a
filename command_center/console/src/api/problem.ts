/** RFC 9457 problems: the server's stable code and its words in both languages. */
export interface ProblemBody {
  type?: string
  title?: string
  status: number
  code: string
  detail: string
  detail_en?: string
  fields?: Record<string, unknown>
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly body: ProblemBody | null,
  ) {
    super(`${status} ${code}`)
  }

  /** True when nothing answered: the line is down or the server is starting again. */
  get isConnection(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504
  }

  words(locale: string): string {
    if (this.body) {
      const words = locale === 'en' ? (this.body.detail_en ?? this.body.detail) : this.body.detail
      if (words) return words
      if (this.body.title) return this.body.title
    }
    if (this.isConnection) {
      return locale === 'en'
        ? 'The server does not answer. What you typed is kept; try again in a moment.'
        : '服务器没有应答。已填内容不会丢失，请稍后重试。'
    }
    return locale === 'en' ? `The server refused (${this.status}).` : `服务器拒绝了请求（${this.status}）。`
  }

  /** The fields that were refused, by their last name, to mark each where it is typed. */
  fieldNames(): string[] {
    const fields = this.body?.fields ?? {}
    const named = [fields.field, fields.figure].filter((name): name is string => typeof name === 'string')
    const names = [...Object.keys(fields), ...named].map((name) => name.split('.').pop() ?? name)
    return names.map((name) => (name === 'longitude' || name === 'latitude' ? 'position' : name))
  }
}
