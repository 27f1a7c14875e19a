/** The shapes of API v1, in the API's own names. Times are ISO 8601 with offset. */
export interface User {
  id: string
  username: string
  display_name: string
  roles: string[]
  region_code: string
  unit_name: string
  permissions: string[]
  /** What must be done before anything else: password, totp. */
  owes: string[]
  has_totp: boolean
  password_days_left: number | null
}

export interface Account {
  id: string
  username: string
  display_name: string
  unit_name: string
  region_code: string
  roles: string[]
  is_enabled: boolean
  locked_until: string | null
  must_change_password: boolean
  has_totp: boolean
  password_changed_at: string
  created_at: string
  open_sessions: number
  last_seen_at: string | null
  is_demo: boolean
}
export interface FirstPassword {
  account: Account
  password: string
}
export interface TotpProposal {
  secret: string
  uri: string
  qr_svg: string
}
export interface AuditRow {
  seq: number
  at: string
  actor_id: string
  actor_kind: string
  actor_name: string | null
  action: string
  outcome: string
  object_kind: string
  object_id: string
  request_id: string
  remote: string
  detail: Record<string, unknown> | null
  is_drill: boolean
}
export interface ProcessGroup {
  kind: string
  pids: number[]
  started_at: string
  memory_mib: number
  cpu_pct: number
}
export interface Installation {
  version: string
  python: string
  machine: string
  now: string
  processes: ProcessGroup[]
  node: { is_connected: boolean; used_pct: number | null; cores: number | null; conferences: number; legs: number }
  gateway: { is_connected: boolean; calls: number; registered: number; halls: number; banned: number }
  database: { version: string; schema_revision: string; size_mib: number }
  disks: { folder: string; total_mib: number; free_mib: number }[]
  settings: { name: string; value: string; is_default: boolean }[]
}

export interface HealthComponent {
  name: string
  state: string
  detail?: string | null
}
export interface Health {
  status: string
  components: HealthComponent[]
}

export interface PublicConfig {
  demo: boolean
  is_drill_mode: boolean
  version: string
  public_url: string
  map: { center: [number, number]; zoom: number }
}

export const CASUALTY_FIELDS = [
  'deaths',
  'missing',
  'trapped',
  'endangered',
  'serious_injuries',
  'poisoned_diagnosed',
  'observed',
  'seen',
  'evacuated',
  'direct_loss_wan',
] as const
export type CasualtyField = (typeof CASUALTY_FIELDS)[number]
export type Casualties = Record<CasualtyField, number | null>

export type Channel = 'phone' | 'form' | 'api' | 'sensor' | 'public'

export interface Report {
  title: string
  event_type: string
  place_name: string
  region_code: string
  longitude: number
  latitude: number
  occurred_at: string | null
  received_at: string
  sent_at: string | null
  reporter_name: string
  reporter_phone: string
  channel: Channel
  signer: string
  course: string
  measures: string
  casualties: Casualties
  pending: string[]
  is_drill: boolean
}
export interface StoredReport extends Report {
  id: string
  number?: string
  ordinal?: number
  kind?: string
  created_by?: string
  created_at?: string
}

export type GradeValue = 'general' | 'larger' | 'major' | 'extraordinary'
export interface Grade {
  value: GradeValue | null
  label: string
  criterion: string
  stage: string
}
export interface Clock {
  id: string
  label: string
  basis: string
  starts_at: string
  due_at: string
  done_at: string | null
  state: 'running' | 'done' | 'late' | 'closed'
  to_whom: string
  explanation?: string | null
}
export type Tier = 'province' | 'city' | 'county'
export type ResponseLevel = number | 'standby'
export interface ActiveResponse {
  id: string
  plan_id: string
  plan_name?: string
  tier: Tier
  level: ResponseLevel
  declared_by?: string
  grounds: string
  from_at?: string
  declared_at?: string
  expected_until?: string | null
  ended_at?: string | null
}
export interface Incident {
  id: string
  number: string
  title: string
  event_type: string
  place_name: string
  region_code: string
  region_name: string
  longitude: number
  latitude: number
  occurred_at: string | null
  received_at: string
  state: 'open' | 'closed'
  is_drill: boolean
  grade: Grade
  near_accident: { recognised: boolean; criteria: string[] }
  casualties: Casualties
  pending: string[]
  responses: ActiveResponse[]
  clocks: Clock[]
  plan_id: string | null
  consultation_id: string | null
  created_by: string
  updated_at: string
}

export interface TimelineEntry {
  id: string
  at: string
  kind: string
  actor_name: string | null
  text: string
  body: Record<string, unknown> | null
}

export interface PlanLevel {
  level: ResponseLevel
  tier?: Tier
  name?: string
}
export interface Plan {
  id: string
  name: string
  type?: string
  hazard?: string
  region_name?: string
  region_code?: string
  level?: string
  version?: string
  filing_number?: string
  review_due?: string
  status?: string
  is_demo?: boolean
  [extra: string]: unknown
}
export interface PlanProposal {
  plan_id: string
  name: string
  score: number
  reasons: string[]
  suggested_level: ResponseLevel | null
}
export type TaskState = 'todo' | 'doing' | 'done' | 'overdue'
export interface Task {
  id: string
  number: string
  group_code: string
  group_name: string
  text: string
  responsible: string
  due_at: string | null
  depends_on: string[]
  evidence: string
  clause: string
  state: TaskState
  done_at: string | null
  done_by: string | null
  is_overdue?: boolean
  evidence_text?: string | null
}

export interface DispatchLine {
  id: string
  task_id: string
  task_text: string
  team_id: string
  team_name: string
  skills: string[]
  crew: number
  authority: string
  depart_at: string
  arrive_at: string
  travel_minutes: number
  distance_km: number
  route: [number, number][]
  reason: string
  runner_up: string | null
  fallback?: string | null
}
export interface DispatchMaterial {
  id?: string
  depot_id: string
  depot_name: string
  item: string
  quantity: number
  unit: string
  arrive_at: string
  route: [number, number][]
}
export interface DispatchProposal {
  id: string
  state: string
  created_at: string
  solver: string
  lines: DispatchLine[]
  materials: DispatchMaterial[]
  unassigned: { task_id: string; task_text?: string; reason: string }[]
}
export type OrderState = 'issued' | 'received' | 'accepted' | 'done' | 'declined' | 'cancelled'
export interface Order {
  id: string
  number: string
  team_id: string | null
  team_name: string
  task_text: string
  kind: 'order' | 'request'
  state: OrderState
  issued_at: string
  issued_by: string
  received_at: string | null
  accepted_at: string | null
  arrived_at: string | null
  done_at: string | null
  due_at: string | null
  overdue: boolean
  is_drill: boolean
  incident_id?: string
}
export type OrderStep = 'receive' | 'accept' | 'arrive' | 'done' | 'decline'

export interface Place {
  id: string
  name: string
  longitude: number | null
  latitude: number | null
  region_code?: string
  region_name?: string
  [extra: string]: unknown
}

export type SrtpPolicy = 'required' | 'preferred' | 'off'
export interface SelfTest {
  at: string
  codes: string[]
  loss_pct: number
  video: string
  audio: string
}
export interface LadderStep {
  name: string
  number: string
  ring_timeout_s: number
}
export interface Site {
  id: string
  name: string
  organisation_name: string
  account: string | null
  address_state: string
  protocol: string
  uri: string | null
  trusted_host: string | null
  backup_uri: string | null
  ladder: LadderStep[]
  link: string
  max_bitrate_bps: number | null
  srtp_policy: SrtpPolicy | null
  self_test: SelfTest | null
}
export interface SourceBan {
  host: string
  offence: string
  since: string
  until: string
  is_active: boolean
  pardoned_at: string | null
  site_id: string | null
  site_name: string
  tell: string
}

export type MemberKind = 'site' | 'team' | 'camera' | 'phone' | 'operator' | 'telephone'
export interface Member {
  ref: string
  kind: MemberKind
  name: string
  site_id?: string | null
  team_id?: string | null
  camera_id?: string | null
  address_state: string
  reason: string
  chosen: boolean
  number?: string | null
}
export interface NewMember {
  kind: MemberKind
  site_id?: string | null
  team_id?: string | null
  camera_id?: string | null
  name?: string | null
  number?: string | null
}
export type ParticipantState =
  | 'not_joined'
  | 'dialling'
  | 'ringing'
  | 'joined'
  | 'lost'
  | 'offline'
  | 'failed'
  | 'unregistered'
  | 'left'
export interface DirectionStats {
  bitrate_bps?: number | null
  loss_pct?: number | null
  codec?: string | null
  width?: number | null
  height?: number | null
  frame_rate?: number | null
  jitter_ms?: number | null
  round_trip_ms?: number | null
  audio_codec?: string | null
}
export interface ParticipantStats extends DirectionStats {
  in?: DirectionStats | null
  out?: DirectionStats | null
}
export interface Participant {
  id: string
  kind: MemberKind
  name: string
  protocol: string
  state: ParticipantState
  reason_code: string | null
  reason_text: string | null
  microphone_muted: boolean
  speaker_muted: boolean
  in_picture: boolean
  joined_at: string | null
  stats: ParticipantStats | null
  join_url: string | null
  /** Who keeps its microphone closed: 会控闭音, 点名 or an exclusive floor. */
  muted_by: 'desk' | 'roll_call' | 'floor' | null
  is_self_muted: boolean
  watch_id: string | null
  attempts: number
  redial_limit: number
  retry_at: string | null
  has_given_up: boolean
  /** By which protocol its call runs, what line the hall has, and which of its addresses is used. */
  signalling: 'sip' | 'h323' | null
  link: string | null
  line: 'first' | 'backup' | 'telephone' | null
}
export type View = 'hall' | 'chair'
export type Arrangement = 'auto' | '1' | '2' | '3' | '4' | '1+5' | '1+7' | '9' | '13' | '16' | '20' | '25' | 'pip'
export interface SpeakerSwitch {
  sensitivity_db: number
  hold_s: number
}
export interface LayoutWish {
  view: View
  arrangement: Arrangement | null
  seats: (string | null)[] | null
  speaker: SpeakerSwitch | null
}
export interface ChairLayout {
  arrangement: Arrangement | null
  panes: number | null
  seats: (string | null)[] | null
  speaker: SpeakerSwitch | null
}
export interface Overlay {
  banner: string
  message: string
  message_until: string | null
  clock: boolean
  countdown_to: string | null
  names: boolean
}
export interface FloorRequest {
  participant_id: string
  state: 'waiting' | 'granted'
  origin: string
  is_exclusive: boolean
  requested_at: string
  decided_at: string | null
}
export interface AttendanceMark {
  participant_id: string
  mark: 'present' | 'absent' | 'excused'
  note: string
  marked_at: string
  marked_by: string
}
export interface Attendance {
  began_at: string
  ended_at: string | null
  marks: AttendanceMark[]
}
export interface Polling {
  participant_ids: string[]
  interval_s: number
  view: View
  participant_id: string | null
  turned_at: string | null
}
/** What the desk has ordered of a consultation. */
export interface Control {
  is_locked: boolean
  arrangement: Arrangement | null
  speaker: SpeakerSwitch | null
  chair_layout: ChairLayout | null
  chair_id: string | null
  chair_since: string | null
  broadcast: { kind: 'site' | 'mosaic'; participant_id: string | null } | null
  roll_call_id: string | null
  polling: Polling | null
  floor: FloorRequest[]
  floor_mutes_others: boolean
  redial_limit: number
  redial_pause_s: number
  attendance: Attendance | null
  overlay: Overlay
  ends_at: string | null
  ends_by_itself: boolean
}
export interface Alarm {
  participant_id: string
  code: string
  text: string
  since: string
}
export interface OwnDesk {
  participant_id: string
  microphone_muted: boolean
  muted_by: 'desk' | 'roll_call' | 'floor' | null
  is_self_muted: boolean
  chair_name: string | null
  is_chair: boolean
  floor: 'waiting' | 'granted' | null
  floor_place: number | null
  floor_queue: { participant_id: string; name: string; state: 'waiting' | 'granted' }[]
  broadcast_name: string | null
  is_called: boolean
  is_attendance_running: boolean
  has_signed_in: boolean
  message: string
}
export interface Template {
  id: string
  name: string
  title: string
  members: NewMember[]
  made_at: string
  is_drill: boolean
}
export interface Reservation {
  id: string
  title: string
  starts_at: string
  minutes: number
  dial_number: string
  template_id: string | null
  members: NewMember[]
  state: 'waiting' | 'opened' | 'cancelled' | 'failed'
  reason_code: string | null
  reason_text: string | null
  consultation_id: string | null
  ends_by_itself: boolean
  is_drill: boolean
}
export interface Consultation {
  id: string
  number: string
  dial_number: string
  /** Told to those who control it. */
  pin?: string | null
  title: string
  incident_id: string | null
  state: 'open' | 'closed'
  is_drill: boolean
  opened_at: string
  closed_at?: string | null
  layout: {
    panes: number | null
    seats: (string | null)[] | null
    arrangement: Arrangement | null
    speaker: SpeakerSwitch | null
  }
  control: Control
  alarms: Alarm[]
  participants: Participant[]
}
/** Measurements of all members of one consultation, pushed each second and stored nowhere. */
export interface Figures {
  consultation_id: string
  participants: { participant_id: string; in_picture: boolean; stats: ParticipantStats }[]
}
export interface JoinToken {
  token: string
  join_url: string
  qr_svg: string
  expires_at: string
}
export interface JoinPage {
  consultation: { id: string; title: string; is_drill: boolean; state?: string }
  name: string
  kind: string
  publish: boolean
  play: boolean
  state: ParticipantState | null
  reason_code: string | null
  desk: OwnDesk | null
  orders: Order[]
}

export interface LiveEvent {
  seq: number
  type: string
  incident_id: string | null
  consultation_id: string | null
  at: string
  actor: Record<string, unknown> | null
  body: Record<string, unknown>
}
