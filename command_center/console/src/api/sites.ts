/** 会场: how each hall is reached. Every call changes one thing and is audited. */
import { put } from './client'
import type { LadderStep, SrtpPolicy } from './types'

export const setSiteLines = (id: string, backupUri: string | null, ladder: LadderStep[]): Promise<unknown> =>
  put(`/sites/${id}/lines`, { backup_uri: backupUri, ladder })
export const setSiteLink = (id: string, link: string, maxBitrateBps: number | null): Promise<unknown> =>
  put(`/sites/${id}/link`, { link, max_bitrate_bps: maxBitrateBps })
export const setSiteSrtp = (id: string, policy: SrtpPolicy | null): Promise<unknown> =>
  put(`/sites/${id}/srtp-policy`, { srtp_policy: policy })
export const setSiteAddress = (id: string, uri: string | null, trustedHost: string | null): Promise<unknown> =>
  put(`/sites/${id}/address`, { uri, trusted_host: trustedHost })
