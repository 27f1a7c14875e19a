/** 会控: every order of the conference desk. Each answers by the consultation, read anew by events. */
import { API, get, post, put, query, remove, type Items } from './client'
import type { Arrangement, LayoutWish, Overlay, OwnDesk, Reservation, Template, View } from './types'

type Order = Promise<unknown>

export const startBroadcast = (id: string, participantId: string | null): Order =>
  post(`/consultations/${id}/broadcast`, { participant_id: participantId })
export const stopBroadcast = (id: string): Order => remove(`/consultations/${id}/broadcast`)
export const startRollCall = (id: string, participantId: string): Order =>
  post(`/consultations/${id}/roll-call`, { participant_id: participantId })
export const stopRollCall = (id: string): Order => remove(`/consultations/${id}/roll-call`)
export const startPolling = (id: string, participantIds: string[], intervalS: number, view: View): Order =>
  post(`/consultations/${id}/polling`, { participant_ids: participantIds, interval_s: intervalS, view })
export const stopPolling = (id: string): Order => remove(`/consultations/${id}/polling`)
export const appointChair = (id: string, participantId: string): Order =>
  post(`/consultations/${id}/chair`, { participant_id: participantId })
export const takeBackChair = (id: string): Order => remove(`/consultations/${id}/chair`)
export const askFloorFor = (id: string, participantId: string): Order =>
  post(`/consultations/${id}/participants/${participantId}/floor`)
export const grantFloor = (id: string, participantId: string): Order =>
  post(`/consultations/${id}/floor/${participantId}/grant`)
export const refuseFloor = (id: string, participantId: string): Order =>
  post(`/consultations/${id}/floor/${participantId}/refuse`)
export const muteAll = (id: string): Order => post(`/consultations/${id}/mute-all`)
export const unmuteAll = (id: string): Order => post(`/consultations/${id}/unmute-all`)
export const lockMeeting = (id: string): Order => post(`/consultations/${id}/lock`)
export const unlockMeeting = (id: string): Order => remove(`/consultations/${id}/lock`)
export const extendMeeting = (id: string, minutes: number): Order =>
  post(`/consultations/${id}/extend`, { minutes })
export const setOverlay = (id: string, overlay: Overlay): Order =>
  put(`/consultations/${id}/overlay`, overlay)
export interface DeskSettings {
  floor_mutes_others?: boolean
  redial_limit?: number
  redial_pause_s?: number
  ends_by_itself?: boolean
}
export const setDeskSettings = (id: string, settings: DeskSettings): Order =>
  put(`/consultations/${id}/desk-settings`, settings)
export const beginAttendance = (id: string): Order => post(`/consultations/${id}/attendance`)
export const endAttendance = (id: string): Order => remove(`/consultations/${id}/attendance`)
export const markAttendance = (id: string, participantId: string, mark: string, note: string): Order =>
  put(`/consultations/${id}/attendance/${participantId}`, { mark, note })
export const watchSite = (id: string, watcherId: string, participantId: string | null): Order =>
  post(`/consultations/${id}/participants/${watcherId}/watch`, { participant_id: participantId })
export const watchAsSelf = (id: string, participantId: string | null): Order =>
  post(`/consultations/${id}/own/watch`, { participant_id: participantId })
export const setLayout = (id: string, layout: LayoutWish): Order =>
  put(`/consultations/${id}/layout`, layout)
export const chairFollowsHalls = (id: string): Order => remove(`/consultations/${id}/layout/chair`)
export const previewUrl = (
  id: string,
  wish: { view: View; arrangement: Arrangement | null; seats: (string | null)[] | null },
  stamp: number,
) =>
  `${API}/consultations/${id}/preview.jpg${query({
    view: wish.view,
    arrangement: wish.arrangement ?? undefined,
    seats: wish.seats?.map((seat) => seat ?? '-').join(',') || undefined,
    width: 640,
    t: stamp,
  })}`

export const readOwnDesk = (id: string, bearer?: string) => get<OwnDesk>(`/consultations/${id}/own`, { bearer })
export const askFloor = (id: string, bearer?: string) =>
  post<OwnDesk>(`/consultations/${id}/own/floor`, {}, { bearer })
export const askChair = (id: string, bearer?: string) =>
  post<OwnDesk>(`/consultations/${id}/own/chair`, {}, { bearer })
export const signIn = (id: string, note: string, bearer?: string) =>
  post<OwnDesk>(`/consultations/${id}/own/attendance`, { note }, { bearer })
export const chairGrants = (id: string, participantId: string, bearer?: string) =>
  post<OwnDesk>(`/consultations/${id}/own/floor/${participantId}/grant`, {}, { bearer })
export const chairRefuses = (id: string, participantId: string, bearer?: string) =>
  post<OwnDesk>(`/consultations/${id}/own/floor/${participantId}/refuse`, {}, { bearer })
export const giveBackFloor = (id: string, bearer?: string) => remove(`/consultations/${id}/own/floor`, { bearer })
export const giveBackChair = (id: string, bearer?: string) => remove(`/consultations/${id}/own/chair`, { bearer })
export const tellOwnMicrophone = (id: string, isMuted: boolean, bearer?: string) =>
  put<OwnDesk>(`/consultations/${id}/own/microphone`, { is_muted: isMuted }, { bearer })

export const listTemplates = () => get<Items<Template>>(`/consultation-templates`)
export const saveTemplate = (name: string, consultationId: string) =>
  post<Template>(`/consultation-templates`, { name, consultation_id: consultationId })
export const removeTemplate = (id: string): Order => remove(`/consultation-templates/${id}`)
export const listReservations = (state: string) =>
  get<Items<Reservation>>(`/consultation-reservations${query({ state })}`)
export interface ReservationWish {
  title: string
  starts_at: string
  minutes: number
  template_id: string | null
  ends_by_itself: boolean
}
export const reserve = (wish: ReservationWish) => post<Reservation>(`/consultation-reservations`, wish)
export const cancelReservation = (id: string): Order => remove(`/consultation-reservations/${id}`)
export const openReservation = (id: string) => post<Reservation>(`/consultation-reservations/${id}/open`)
