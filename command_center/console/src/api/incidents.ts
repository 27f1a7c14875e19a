import { get, patch, post, query, type Items } from './client'
import type {
  ActiveResponse,
  DispatchProposal,
  Incident,
  Order,
  OrderStep,
  Plan,
  PlanProposal,
  Report,
  ResponseLevel,
  StoredReport,
  Task,
  TaskState,
  Tier,
  TimelineEntry,
} from './types'

export const listIncidents = (state: 'open' | 'closed' | 'all', limit = 300) =>
  get<Items<Incident>>(`/incidents${query({ state, limit })}`)
export const readIncident = (id: string) => get<Incident | { incident: Incident }>(`/incidents/${id}`).then(unwrap)
export const listReports = (id: string) => get<Items<StoredReport>>(`/incidents/${id}/reports`)

function unwrap(answer: Incident | { incident: Incident }): Incident {
  return 'incident' in answer ? answer.incident : answer
}

interface Reported {
  incident: Incident
  report: StoredReport
}
export const fileReport = (report: Report, idempotencyKey: string) =>
  post<Reported>('/incidents', report, { idempotencyKey })
export const addReport = (id: string, report: Report, idempotencyKey: string) =>
  post<Reported>(`/incidents/${id}/reports`, report, { idempotencyKey })

export const listTimeline = (id: string) => get<Items<TimelineEntry>>(`/incidents/${id}/timeline`)
export const addTimeline = (id: string, text: string, idempotencyKey: string) =>
  post<unknown>(`/incidents/${id}/timeline`, { text }, { idempotencyKey })

export const finishClock = (id: string, clockId: string, explanation?: string) =>
  post<unknown>(`/incidents/${id}/clocks/${clockId}/done`, explanation ? { explanation } : {})
export const closeIncident = (id: string, grounds: string) =>
  post<unknown>(`/incidents/${id}/close`, { grounds })

export const listPlans = () => get<Items<Plan>>('/plans')
export const readPlan = (id: string) => get<Record<string, unknown>>(`/plans/${id}`)
export const proposePlans = (id: string) => get<Items<PlanProposal>>(`/incidents/${id}/plan-proposals`)

export interface Activation {
  plan_id: string
  tier: Tier
  level: ResponseLevel
  grounds: string
  expected_hours: number
}
export const activatePlan = (id: string, activation: Activation, idempotencyKey: string) =>
  post<{ response: ActiveResponse; tasks: Task[] }>(`/incidents/${id}/responses`, activation, { idempotencyKey })

export const listTasks = (id: string) => get<Items<Task>>(`/incidents/${id}/tasks`)
export const changeTask = (id: string, taskId: string, state: TaskState, evidence?: string) =>
  patch<unknown>(`/incidents/${id}/tasks/${taskId}`, evidence ? { state, evidence_text: evidence } : { state })

export type Objective = 'fast' | 'balanced' | 'cover'
export const proposeDispatch = (id: string, objective: Objective) =>
  post<DispatchProposal | { proposal: DispatchProposal }>(`/incidents/${id}/dispatch-proposals`, { objective }, { timeoutMs: 60_000 }).then(
    (answer) => ('proposal' in answer ? answer.proposal : answer),
  )
export const readDispatch = (id: string, proposalId: string) =>
  get<DispatchProposal | { proposal: DispatchProposal }>(`/incidents/${id}/dispatch-proposals/${proposalId}`).then(
    (answer) => ('proposal' in answer ? answer.proposal : answer),
  )
export const confirmDispatch = (proposalId: string, lineIds: string[], materialIds: string[] | undefined, idempotencyKey: string) =>
  post<{ orders: Order[] }>(
    `/dispatch-proposals/${proposalId}/confirm`,
    materialIds ? { line_ids: lineIds, material_ids: materialIds } : { line_ids: lineIds },
    { idempotencyKey },
  )

export const listOrders = (id: string) => get<Items<Order>>(`/incidents/${id}/orders`)
export const stepOrder = (orderId: string, step: OrderStep, note?: string) =>
  post<unknown>(`/orders/${orderId}/${step}`, note ? { note } : {})
