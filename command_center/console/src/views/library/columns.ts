/** Which columns a library shows: those of its fields for which the console has a word. */
import { i18n } from '@/locales'
import type { Place, SelfTest } from '@/api/types'
import { selfTestCell } from './self_test'

const ORDER = [
  'number', 'code', 'line', 'kind', 'type', 'category', 'tier', 'level', 'region_name', 'region_code', 'organisation_name', 'self_test', 'unit_name',
  'enterprise', 'company', 'owner', 'title', 'specialty', 'specialities', 'leader', 'leader_name', 'phone', 'crew', 'skills',
  'vehicles', 'authority', 'substance', 'substances', 'quantity_t', 's_value', 'r_value', 'residents', 'stock', 'items', 'capacity',
  'account', 'sip_username', 'sip_account', 'protocol', 'address_state', 'link', 'srtp_policy', 'registered', 'state', 'status', 'source', 'address', 'parent_code',
]

export function columnsOf(items: Place[]): string[] {
  const sample = items.slice(0, 50)
  const present = ORDER.filter((field) => sample.some((item) => hasWords(item[field])))
  if (present.includes('region_name')) return present.filter((field) => field !== 'region_code')
  return present
}

function hasWords(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return false
  return !(Array.isArray(value) && value.length === 0)
}

export function cell(value: unknown, field = ''): string {
  const { t, te } = i18n.global
  if (field === 'self_test') return selfTestCell(value as SelfTest | null)
  if (te(`library.value.${field}.${String(value)}`)) return t(`library.value.${field}.${String(value)}`)
  if (value === null || value === undefined) return ''
  if (typeof value === 'boolean') return t(value ? 'library.yes' : 'library.no')
  if (Array.isArray(value)) return value.map((part) => cell(part, field)).join('、')
  if (typeof value === 'object') return describe(value as Record<string, unknown>)
  if (typeof value === 'string' && te(`incident.address.${value}`)) return t(`incident.address.${value}`)
  if (typeof value === 'string' && te(`tier.${value}`)) return t(`tier.${value}`).trim()
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Math.round(value * 100) / 100)
  return String(value)
}

/** A part such as {item, quantity, unit} in one phrase. */
function describe(part: Record<string, unknown>): string {
  const name = part.name ?? part.item ?? part.substance ?? part.kind
  const held = typeof part.reserved === 'number' && part.reserved > 0 ? `（-${part.reserved}）` : ''
  const amount = part.quantity ?? part.quantity_t ?? part.count
  if (name !== undefined) return [name, amount, part.unit].filter((word) => word !== undefined && word !== null).join(' ') + held
  return Object.values(part).filter((word) => typeof word !== 'object').join(' ')
}

export function matches(item: Place, wanted: string): boolean {
  if (!wanted) return true
  return Object.values(item).some((value) => (typeof value === 'object' ? JSON.stringify(value ?? '') : String(value)).toLowerCase().includes(wanted))
}
