/** The second stream: one token a consultation, for shared screens and rooms alike. */
import { get, post, put } from './client'
import type { MediaCredentials } from './media_session'

export interface ContentSite {
  participant_id: string
  name: string
}
export interface Content {
  consultation_id: string
  holder: ContentSite | null
  granted_at: string | null
  queue: ContentSite[]
  locked_to: ContentSite | null
}

const path = (at: MediaCredentials, what = '') => `/consultations/${at.consultationId}/content${what}`

export const readContent = (at: MediaCredentials) => get<Content>(path(at), { bearer: at.bearer })
export const requestContent = (at: MediaCredentials) => post<Content>(path(at, '/request'), {}, { bearer: at.bearer })
export const releaseContent = (at: MediaCredentials) => post<Content>(path(at, '/release'), {}, { bearer: at.bearer })
export const takeContentBack = (at: MediaCredentials) => post<Content>(path(at, '/take-back'))
export const lockContent = (at: MediaCredentials, participantId: string | null) =>
  put<Content>(path(at, '/lock'), { participant_id: participantId })
