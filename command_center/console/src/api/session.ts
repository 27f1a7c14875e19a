import { get, post, remove } from './client'
import type { Health, PublicConfig, User } from './types'

export const readSession = () => get<{ user: User }>('/session')
export const logIn = (username: string, password: string, code: string | null) =>
  post<{ user: User }>('/session', code ? { username, password, code } : { username, password })
export const logOut = () => remove('/session')
export const readHealth = () => get<Health>('/health', { timeoutMs: 5000 })
export const readConfig = () => get<PublicConfig>('/config')
