/** What the roster says of a participant, and what may be done with it. */
import type { Control, Participant, ParticipantState } from '@/api/types'

export const STATE_LOOK: Record<ParticipantState, { mark: string; tone: string }> = {
  joined: { mark: '●', tone: 'green' },
  dialling: { mark: '◌', tone: 'blue' },
  ringing: { mark: '◌', tone: 'blue' },
  not_joined: { mark: '○', tone: '' },
  left: { mark: '○', tone: '' },
  lost: { mark: '▲', tone: 'orange' },
  offline: { mark: '✕', tone: 'orange' },
  unregistered: { mark: '?', tone: 'orange' },
  failed: { mark: '✕', tone: 'red' },
}
export const LOSS_HIGH_PCT = 3

export const isHere = (one: Participant) => one.state === 'joined' || one.state === 'lost'
export const isCalling = (one: Participant) => one.state === 'dialling' || one.state === 'ringing'
export const isAbsent = (one: Participant) => !isHere(one) && !isCalling(one)

/** Phones and desks come by themselves; rooms, cameras and telephones are brought in by us. */
export const canDial = (one: Participant) => isAbsent(one) && one.protocol !== 'webrtc'

export function lossOf(one: Participant): number | null {
  const stats = one.stats
  if (!stats) return null
  const values = [stats.loss_pct, stats.in?.loss_pct, stats.out?.loss_pct].filter((value): value is number => typeof value === 'number')
  return values.length ? Math.max(...values) : null
}
/** In bit/s, with the letter that bridges' desks use. */
export function rateWord(bitsPerSecond: number | null | undefined): string {
  if (typeof bitsPerSecond !== 'number' || bitsPerSecond <= 0) return ''
  return bitsPerSecond >= 1_000_000 ? `${(bitsPerSecond / 1_000_000).toFixed(1)}M` : `${Math.round(bitsPerSecond / 1000)}k`
}

export const ROW_ORDERS = ['broadcast', 'roll_call', 'watch', 'chair', 'floor'] as const
export type RowOrder = (typeof ROW_ORDERS)[number]
export interface RosterMark {
  word: string
  tone: string
}
/** What the desk has ordered of this member, in words. */
export function marksOf(one: Participant, control: Control, t: (key: string) => string): RosterMark[] {
  const request = control.floor.find((each) => each.participant_id === one.id)
  const isPresent = control.attendance?.marks.some((mark) => mark.participant_id === one.id && mark.mark === 'present')
  const found: [boolean, string, string][] = [
    [control.chair_id === one.id, 'chair', 'blue'],
    [control.roll_call_id === one.id, 'roll_call', 'orange'],
    [control.broadcast?.participant_id === one.id, 'broadcast', 'orange'],
    [control.polling?.participant_id === one.id, 'polling', 'orange'],
    [request?.state === 'waiting', 'waiting', 'blue'],
    [request?.state === 'granted', 'granted', 'green'],
    [!!isPresent && !control.attendance?.ended_at, 'present', 'green'],
  ]
  return found.filter(([holds]) => holds).map(([, name, tone]) => ({ word: t(`control.mark.${name}`), tone }))
}
