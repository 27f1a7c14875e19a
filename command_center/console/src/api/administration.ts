/** Accounts, the audit trail and the installation: what administrators see and do. */
import { get, patch, post, put, query, type Items } from './client'
import type { Account, AuditRow, FirstPassword, Installation, TotpProposal, User } from './types'

export interface Particulars {
  display_name: string
  unit_name: string
  region_code: string
}
export interface AuditWish {
  since?: string | null
  until?: string | null
  actor?: string
  action?: string
  outcome?: string
  about?: string
  before?: number | null
  limit?: number
}

export const listAccounts = (q: string) => get<Items<Account>>(`/accounts${query({ q, limit: 2000 })}`)
export const addAccount = (username: string, who: Particulars) => post<FirstPassword>('/accounts', { username, ...who })
export const changeAccount = (id: string, who: Particulars) => patch<Account>(`/accounts/${id}`, who)
export const assignRoles = (id: string, roles: string[]) => put<Account>(`/accounts/${id}/roles`, { roles })
export const disableAccount = (id: string) => post<Account>(`/accounts/${id}/disable`)
export const enableAccount = (id: string) => post<Account>(`/accounts/${id}/enable`)
export const endSessions = (id: string) => post<Account>(`/accounts/${id}/end-sessions`)
export const renewPassword = (id: string) => post<FirstPassword>(`/accounts/${id}/password`)
export const readAudit = (wish: AuditWish) => get<Items<AuditRow>>(`/audit${query({ ...wish })}`)
export const verifyAudit = () => get<{ is_whole: boolean; breaks: string[] }>('/audit/verification', { timeoutMs: 120_000 })
export const readInstallation = () => get<Installation>('/installation')
export const changePassword = (old: string, fresh: string) => put<{ user: User }>('/session/password', { old, new: fresh })
export const proposeTotp = () => get<TotpProposal>('/session/totp')
export const setTotp = (secret: string, code: string, password: string) => put<{ user: User }>('/session/totp', { secret, code, password })
