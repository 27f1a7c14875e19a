/** What the roster says of a participant, and what may be done with it. */
import type { Participant, ParticipantState } from '@/api/types'

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
