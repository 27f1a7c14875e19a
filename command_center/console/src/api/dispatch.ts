/** The dispatch desk: plans side by side, choices by hand, recommendations, roads. */
import { API, get, post, query, remove, type Items } from './client'
import type { Order } from './types'

export type AlternativeName = 'first' | 'insert_only' | 'balanced' | 'free'
export type Arc = [number, number]

export interface DispatchQuestion {
  incident_ids: string[]
  objective: 'fast' | 'balanced' | 'cover'
  closed_roads: Arc[]
  closed_circles: { longitude: number; latitude: number; radius_m: number }[]
  plumes: { incident_id: string; wind_from_deg: number; radius_m: number }[]
  lost_team_ids: string[]
  previous_plan_id: string | null
  previous_alternative: AlternativeName | null
  seconds: number
}
export interface PlanLine {
  id: string
  incident_id: string
  task_id: string
  task_text: string
  need: number
  team_id: string
  team_name: string
  skills: string[]
  crew: number
  authority: string
  depart_at: string
  arrive_at: string
  start_at: string
  finish_at: string
  travel_minutes: number
  distance_km: number
  route: [number, number][]
  reason: string
  runner_up: string | null
  runner_up_cost: number | null
  fallback: string | null
  is_override: boolean
  is_changed: boolean
  is_downwind: boolean
}
export interface PlanLoad {
  id: string
  incident_id: string
  task_id: string
  depot_name: string
  item: string
  quantity: number
  unit: string
  depart_at: string
  arrive_at: string
  route: [number, number][]
}
export interface PlanChange {
  task_id: string
  task_text: string
  need: number
  from_team: string | null
  to_team: string | null
}
export interface Alternative {
  name: AlternativeName
  cost: number
  gain: number
  solver: string
  gap: number | null
  note: string | null
  figures: {
    served: number
    unserved: number
    late: number
    mean_arrive_minutes: number
    last_arrive_minutes: number
    distance_km: number
    cover_missing: number
  }
  changes: PlanChange[]
  cover: { region_code: string; wanted: number; left: number }[]
  lines: PlanLine[]
  materials: PlanLoad[]
  unassigned: { task_id: string; task_text: string; incident_id: string; longitude: number; latitude: number; reason: string }[]
}
export interface StandingOrder {
  order_id: string
  number: string
  incident_id: string
  task_text: string
  team_id: string
  team_name: string
  state: string
  depart_at: string
  arrive_at: string
  finish_at: string
  delay_minutes: number
  is_cut_off: boolean
  route: [number, number][]
}
export interface DispatchPlan {
  id: string
  state: 'solving' | 'cancelling' | 'ready' | 'failed'
  created_at: string
  created_by: string
  finished_at: string | null
  is_drill: boolean
  question: DispatchQuestion
  alternatives: Alternative[]
  orders: StandingOrder[]
  accepted: string[]
}
export interface PlanProgress {
  plan_id: string
  elapsed_s: number
  seconds: number
  best: { name: AlternativeName; cost: number; unserved: number }[]
}
export interface Override {
  id: string
  incident_id: string
  task_id: string
  need: number
  team_id: string
  team_name: string
  set_at: string
  set_by: string
}
export interface Recommendation {
  team_id: string
  team_name: string
  authority: string
  arrive_at: string | null
  travel_minutes: number
  cost_more: number
  used_for: string | null
  limits: string[]
}
export interface Road {
  arc: Arc
  name: string
  road_class: string
  is_bridge: boolean
  is_tunnel: boolean
  length_m: number
  points: [number, number][]
}

export const askPlan = (question: Partial<DispatchQuestion>) => post<DispatchPlan>('/dispatch-plans', question)
export const readPlanSideBySide = (id: string) => get<DispatchPlan>(`/dispatch-plans/${id}`)
export const newestPlan = (isDrill: boolean) => get<{ plan: DispatchPlan | null }>(`/dispatch-plans/newest${query({ is_drill: isDrill ? 1 : 0 })}`)
export const cancelPlan = (id: string) => post<DispatchPlan>(`/dispatch-plans/${id}/cancel`)
export const acceptLines = (id: string, alternative: AlternativeName, lineIds: string[], materialIds: string[], idempotencyKey: string) =>
  post<{ orders: Order[] }>(`/dispatch-plans/${id}/accept`, { alternative, line_ids: lineIds, material_ids: materialIds }, { idempotencyKey })
export const listOverrides = (incidentId: string) => get<Items<Override>>(`/incidents/${incidentId}/dispatch-overrides`)
export const setOverride = (choice: { incident_id: string; task_id: string; need: number; team_id: string }) => post<Override>('/dispatch-overrides', choice)
export const liftOverride = (id: string) => remove(`/dispatch-overrides/${id}`)
export const recommendTeams = (incidentId: string, taskId: string, planId?: string, alternative?: AlternativeName) =>
  get<Items<Recommendation>>(`/incidents/${incidentId}/tasks/${taskId}/recommended-teams${query({ plan_id: planId, alternative })}`)
export const nearestRoad = (longitude: number, latitude: number) =>
  get<Items<Road>>(`/roads/nearest${query({ longitude, latitude })}`)
export const listBridges = () => get<Items<Road>>(`/roads/bridges${query({ west: 73, south: 3, east: 136, north: 54 })}`)
export const slideUrl = (planId: string, alternative: AlternativeName, form: 'png' | 'jpg' = 'png') =>
  `${API}/dispatch-plans/${planId}/slide.${form}${query({ alternative })}`

/** A place of its own in a consultation for the slide, so that the operator's stays theirs. */
export const slidePlace = (consultationId: string, name: string) =>
  post<{ token: string; participant_id: string }>(`/consultations/${consultationId}/join-tokens`, {
    participant_id: null,
    name,
    publish: true,
    play: true,
    expires_minutes: 720,
  })
export const askToPresent = (consultationId: string, bearer: string) =>
  post<unknown>(`/consultations/${consultationId}/content/request`, { wait: false }, { bearer })
export const stopPresenting = (consultationId: string, bearer: string) =>
  post<unknown>(`/consultations/${consultationId}/content/release`, {}, { bearer })
