import { API, get, post, query, remove, type Items } from './client'
import type { Consultation, JoinPage, JoinToken, Member, NewMember, OrderStep } from './types'

type Wrapped = Consultation | { consultation: Consultation }
const unwrap = (answer: Wrapped): Consultation => ('consultation' in answer ? answer.consultation : answer)

export const proposeConsultation = (incidentId: string) =>
  get<{ title: string; members: Member[] }>(`/incidents/${incidentId}/consultation-proposal`)
export const openConsultation = (incidentId: string, title: string, members: NewMember[], idempotencyKey: string) =>
  post<Wrapped>(`/incidents/${incidentId}/consultations`, { title, members }, { idempotencyKey, timeoutMs: 60_000 }).then(unwrap)
export const listConsultations = (state: 'open' | 'closed') =>
  get<Items<Consultation>>(`/consultations${query({ state })}`)
export const readConsultation = (id: string) => get<Wrapped>(`/consultations/${id}`).then(unwrap)
export const closeConsultation = (id: string) => post<unknown>(`/consultations/${id}/close`)

export const addParticipant = (id: string, member: NewMember) => post<unknown>(`/consultations/${id}/participants`, member)
export type DeskAction = 'dial' | 'hang-up' | 'mute' | 'unmute' | 'speaker-mute' | 'speaker-unmute'
export const actOn = (id: string, participantId: string, action: DeskAction) =>
  post<unknown>(`/consultations/${id}/participants/${participantId}/${action}`)
export const removeParticipant = (id: string, participantId: string) =>
  remove(`/consultations/${id}/participants/${participantId}`)
export const callAbsent = (id: string) => post<unknown>(`/consultations/${id}/call-absent`)
export const pictureUrl = (id: string, width: number, stamp: number, view: 'hall' | 'chair' = 'hall') =>
  `${API}/consultations/${id}/picture.jpg${query({ width, t: stamp, view: view === 'chair' ? view : undefined })}`

export const makeJoinToken = (id: string, participantId: string | null, name: string) =>
  post<JoinToken>(`/consultations/${id}/join-tokens`, {
    participant_id: participantId,
    name,
    publish: true,
    play: true,
    expires_minutes: 720,
  })

export const readJoin = (token: string) => get<JoinPage>(`/join/${encodeURIComponent(token)}`, { bearer: token })
export const stepJoinOrder = (token: string, orderId: string, step: OrderStep, note?: string) =>
  post<unknown>(`/join/${encodeURIComponent(token)}/orders/${orderId}/${step}`, note ? { note } : {}, { bearer: token })
