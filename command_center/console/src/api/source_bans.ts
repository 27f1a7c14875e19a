/** Addresses the gateway shut out for scanning or guessing passwords. */
import { get, post, type Items } from './client'
import type { SourceBan } from './types'

export const listSourceBans = () => get<Items<SourceBan>>('/source-bans')
export const pardonSource = (host: string) => post<void>('/source-bans/pardon', { host })
