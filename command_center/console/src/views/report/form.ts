/** The report form as data: its blank state, its checks and what is sent. */
import { CASUALTY_FIELDS, type Casualties, type CasualtyField, type Channel, type Report } from '@/api/types'
import { isoWithOffset, minuteOf } from '@/components/time'

export interface FigureInput {
  value: number | null
  unknown: boolean
  pending: boolean
}
export interface ReportForm {
  title: string
  event_type: string
  place_name: string
  region_code: string
  longitude: number | null
  latitude: number | null
  occurred_at: string | null
  occurred_unknown: boolean
  received_at: string
  sent_at: string | null
  reporter_name: string
  reporter_phone: string
  channel: Channel
  signer: string
  course: string
  measures: string
  figures: Record<CasualtyField, FigureInput>
  is_drill: boolean
}

export const EVENT_TYPES = [
  'hazardous_chemical_leak', 'fire', 'explosion', 'poisoning', 'traffic', 'mine', 'collapse',
  'flood', 'rainstorm', 'typhoon', 'geological', 'earthquake', 'forest_fire', 'environment', 'public_health', 'other',
] as const
export const CHANNELS: Channel[] = ['phone', 'form', 'public', 'sensor']

/** A new form: nothing is known, and what is not known says so. */
export function blankForm(now: Date): ReportForm {
  const figures = Object.fromEntries(
    CASUALTY_FIELDS.map((field) => [field, { value: null, unknown: true, pending: false }]),
  ) as Record<CasualtyField, FigureInput>
  return {
    title: '',
    event_type: 'hazardous_chemical_leak',
    place_name: '',
    region_code: '',
    longitude: null,
    latitude: null,
    occurred_at: null,
    occurred_unknown: false,
    received_at: isoWithOffset(minuteOf(now)),
    sent_at: null,
    reporter_name: '',
    reporter_phone: '',
    channel: 'phone',
    signer: '',
    course: '',
    measures: '',
    figures,
    is_drill: false,
  }
}

export type FaultKey = 'required' | 'notFuture' | 'order' | 'badNumber' | 'badPosition' | 'badPhone' | 'tooLong'
export type Faults = Partial<Record<string, FaultKey>>

const REQUIRED = ['title', 'event_type', 'place_name', 'region_code', 'received_at', 'reporter_name', 'signer'] as const
const LONGEST: Record<string, number> = { title: 200, place_name: 500, reporter_name: 120, reporter_phone: 40, signer: 60, course: 10_000, measures: 10_000 }

/** What must be corrected before the report can leave, by field. */
export function faultsOf(form: ReportForm, now: number): Faults {
  const faults: Faults = {}
  for (const field of REQUIRED) if (!String(form[field] ?? '').trim()) faults[field] = 'required'
  for (const [field, longest] of Object.entries(LONGEST)) {
    if (String(form[field as keyof ReportForm] ?? '').length > longest) faults[field] = 'tooLong'
  }
  if (!form.occurred_unknown && !form.occurred_at) faults.occurred_at = 'required'
  if (form.longitude === null || form.latitude === null) faults.position = 'required'
  else if (!inChina(form.longitude, form.latitude)) faults.position = 'badPosition'
  if (form.reporter_phone && !/^[0-9+()\- ]+$/.test(form.reporter_phone)) faults.reporter_phone = 'badPhone'
  Object.assign(faults, timeFaults(form, now))
  for (const field of CASUALTY_FIELDS) {
    const figure = form.figures[field]
    if (figure.unknown) continue
    if (figure.value === null || !Number.isInteger(figure.value) || figure.value < 0) faults[field] = 'badNumber'
  }
  return faults
}

function timeFaults(form: ReportForm, now: number): Faults {
  const faults: Faults = {}
  const occurred = form.occurred_unknown || !form.occurred_at ? null : Date.parse(form.occurred_at)
  const received = Date.parse(form.received_at)
  const sent = form.sent_at ? Date.parse(form.sent_at) : null
  const grace = now + 60_000
  if (received > grace) faults.received_at = 'notFuture'
  if (sent !== null && sent > grace) faults.sent_at = 'notFuture'
  if (occurred !== null && occurred > grace) faults.occurred_at = 'notFuture'
  else if (occurred !== null && occurred > received) faults.occurred_at = 'order'
  if (sent !== null && received > sent) faults.sent_at = 'order'
  return faults
}

function inChina(longitude: number, latitude: number): boolean {
  return longitude >= 73 && longitude <= 136 && latitude >= 3 && latitude <= 54
}

export function reportOf(form: ReportForm): Report {
  const casualties = {} as Casualties
  for (const field of CASUALTY_FIELDS) casualties[field] = form.figures[field].unknown ? null : form.figures[field].value
  return {
    title: form.title.trim(),
    event_type: form.event_type,
    place_name: form.place_name.trim(),
    region_code: form.region_code,
    longitude: form.longitude ?? 0,
    latitude: form.latitude ?? 0,
    occurred_at: form.occurred_unknown ? null : form.occurred_at,
    received_at: form.received_at,
    sent_at: form.sent_at,
    reporter_name: form.reporter_name.trim(),
    reporter_phone: form.reporter_phone.trim(),
    channel: form.channel,
    signer: form.signer.trim(),
    course: form.course.trim(),
    measures: form.measures.trim(),
    casualties,
    pending: CASUALTY_FIELDS.filter((field) => form.figures[field].pending),
    is_drill: form.is_drill,
  }
}
