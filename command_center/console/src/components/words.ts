/** Words for codes, in the language that is on; an unknown code shows itself. */
import { i18n } from '@/locales'
import type { Order, ResponseLevel, Tier } from '@/api/types'

const { t, te } = i18n.global

export function eventTypeWord(type: string): string {
  return te(`report.types.${type}`) ? t(`report.types.${type}`) : type
}
export function levelWord(level: ResponseLevel | string | null): string {
  if (level === null) return ''
  return te(`level.${level}`) ? t(`level.${level}`) : String(level)
}
export function responseWord(tier: Tier | string, level: ResponseLevel | string): string {
  const name = te(`tier.${tier}`) ? t(`tier.${tier}`) : tier
  return `${name}${levelWord(level)}`
}
/** Arrival is a time, not a state of its own, but the desk wants to see it as one. */
export function orderStage(order: Order): string {
  if (order.arrived_at && order.state !== 'done' && order.state !== 'declined' && order.state !== 'cancelled') return 'arrived'
  return order.state
}
