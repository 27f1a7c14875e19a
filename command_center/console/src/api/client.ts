/** The only place that calls fetch. JSON in, JSON out, problems thrown as `Problem`. */
import { Problem, type ProblemBody } from './problem'

export const API = '/api/v1'

export interface CallOptions {
  body?: unknown
  idempotencyKey?: string
  bearer?: string
  contentType?: string
  signal?: AbortSignal
  timeoutMs?: number
  /** Let the request outlive the page (leaving a session when the page closes). */
  keepalive?: boolean
}

let onUnauthenticated: () => void = () => undefined

export function whenUnauthenticated(callback: () => void): void {
  onUnauthenticated = callback
}

/** crypto.randomUUID is missing on plain http beyond loopback, hence the second way. */
export function newKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export async function send(method: string, path: string, options: CallOptions = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method !== 'GET') headers['X-CSRF'] = '1'
  if (options.idempotencyKey) headers['Idempotency-Key'] = options.idempotencyKey
  if (options.bearer) headers.Authorization = `Bearer ${options.bearer}`
  const isText = typeof options.body === 'string'
  if (options.body !== undefined) headers['Content-Type'] = options.contentType ?? 'application/json'
  const limit = AbortSignal.timeout(options.timeoutMs ?? 20_000)
  let response: Response
  try {
    response = await fetch(path.startsWith('/api/') ? path : API + path, {
      method,
      headers,
      credentials: 'same-origin',
      keepalive: options.keepalive ?? false,
      body: options.body === undefined ? undefined : isText ? (options.body as string) : JSON.stringify(options.body),
      signal: options.signal ? AbortSignal.any([limit, options.signal]) : limit,
    })
  } catch {
    throw new Problem(0, 'no_connection', null)
  }
  if (!response.ok) throw await problemOf(response, options)
  return response
}

async function problemOf(response: Response, options: CallOptions): Promise<Problem> {
  let body: ProblemBody | null = null
  try {
    const parsed: unknown = await response.json()
    if (parsed && typeof parsed === 'object' && 'code' in parsed) body = parsed as ProblemBody
  } catch {
    body = null
  }
  if (response.status === 401 && !options.bearer) onUnauthenticated()
  return new Problem(response.status, body?.code ?? 'http_error', body)
}

async function json<T>(method: string, path: string, options?: CallOptions): Promise<T> {
  const response = await send(method, path, options)
  if (response.status === 204) return undefined as T
  const text = await response.text()
  return (text ? JSON.parse(text) : undefined) as T
}

export const get = <T>(path: string, options?: CallOptions): Promise<T> => json('GET', path, options)
export const post = <T>(path: string, body?: unknown, options?: CallOptions): Promise<T> =>
  json('POST', path, { ...options, body: body ?? {} })
export const put = <T>(path: string, body: unknown, options?: CallOptions): Promise<T> =>
  json('PUT', path, { ...options, body })
export const patch = <T>(path: string, body: unknown): Promise<T> => json('PATCH', path, { body })
export const remove = (path: string, options?: CallOptions): Promise<void> => json('DELETE', path, options)

export interface Items<T> {
  items: T[]
}

export function query(values: Record<string, string | number | null | undefined>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value))
  }
  const text = search.toString()
  return text ? `?${text}` : ''
}
