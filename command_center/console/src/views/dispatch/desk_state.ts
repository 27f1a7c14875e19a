/** The dispatch desk's state: question, answers side by side, what is chosen, what is tried. */
import { computed, reactive } from 'vue'
import { complain, wordsOf } from '@/adapters/feedback'
import { newKey } from '@/api/client'
import {
  acceptLines,
  askPlan,
  cancelPlan,
  liftOverride,
  listOverrides,
  newestPlan,
  readPlanSideBySide,
  setOverride,
  type Alternative,
  type AlternativeName,
  type DispatchPlan,
  type DispatchQuestion,
  type Override,
  type PlanProgress,
  type Road,
} from '@/api/dispatch'

export type Objective = DispatchQuestion['objective']

/** How far downwind of an incident roads are avoided. */
export const PLUME_M = 3_000

export class DispatchDesk {
  readonly state = reactive({
    incidentIds: [] as string[],
    objective: 'balanced' as Objective,
    seconds: 2,
    closed: [] as Road[],
    winds: {} as Record<string, number>,
    lost: [] as { id: string; name: string }[],
    overrides: [] as Override[],
    plan: null as DispatchPlan | null,
    chosen: null as AlternativeName | null,
    accepted: new Set<string>(),
    progress: null as PlanProgress | null,
    trail: [] as number[],
    solvingId: null as string | null,
    accepting: false,
    failure: '',
  })
  readonly shown = computed<Alternative | null>(
    () => this.state.plan?.alternatives.find((one) => one.name === this.state.chosen) ?? this.state.plan?.alternatives[0] ?? null,
  )
  /** Lines and loads of the shown alternative that are not ordered yet. */
  readonly open = computed(() => {
    const done = new Set(this.state.plan?.accepted ?? [])
    const standing = new Set(this.state.plan?.orders.map((order) => order.team_id + order.task_text))
    const lines = (this.shown.value?.lines ?? []).filter((line) => !done.has(line.id) && !standing.has(line.team_id + line.task_text))
    return { lines, loads: (this.shown.value?.materials ?? []).filter((load) => !done.has(load.id)) }
  })
  private key = newKey()

  async begin(incidentIds: string[], isDrill: boolean): Promise<void> {
    this.state.incidentIds = incidentIds
    try {
      const { plan } = await newestPlan(isDrill)
      const same = plan && [...plan.question.incident_ids].sort().join() === [...incidentIds].sort().join()
      if (plan && same && plan.state !== 'failed') this.take(plan)
      await this.readOverrides()
    } catch (error) {
      this.state.failure = wordsOf(error)
    }
  }

  /** Ask anew under what is tried now; the shown alternative is the plan before. */
  async solve(): Promise<void> {
    if (!this.state.incidentIds.length || this.state.solvingId) return
    this.state.failure = ''
    this.state.progress = null
    this.state.trail = []
    const before = this.state.plan?.state === 'ready' ? this.state.plan : null
    try {
      const asked = await askPlan({
        incident_ids: this.state.incidentIds,
        objective: this.state.objective,
        closed_roads: this.state.closed.map((road) => road.arc),
        plumes: this.state.incidentIds
          .filter((id) => this.state.winds[id] !== undefined)
          .map((id) => ({ incident_id: id, wind_from_deg: this.state.winds[id] ?? 0, radius_m: PLUME_M })),
        lost_team_ids: this.state.lost.map((team) => team.id),
        previous_plan_id: before?.id ?? null,
        previous_alternative: before ? (this.shown.value?.name ?? null) : null,
        seconds: this.state.seconds,
      })
      this.state.solvingId = asked.id
      // A quick solver may have told its end before this answer came.
      await this.hearPlan(asked.id)
    } catch (error) {
      this.state.failure = wordsOf(error)
    }
  }

  async cancel(): Promise<void> {
    if (!this.state.solvingId) return
    try {
      await cancelPlan(this.state.solvingId)
    } catch (error) {
      complain(error)
    }
  }

  hearProgress(progress: PlanProgress): void {
    if (progress.plan_id !== this.state.solvingId) return
    this.state.progress = progress
    const best = Math.min(...progress.best.map((one) => one.cost))
    if (Number.isFinite(best)) this.state.trail = [...this.state.trail.slice(-79), best]
  }

  /** A plan was solved or lines of it were accepted, here or at another desk. */
  async hearPlan(id: string): Promise<void> {
    if (id !== this.state.solvingId && id !== this.state.plan?.id) return
    try {
      const plan = await readPlanSideBySide(id)
      if (plan.state === 'ready') this.take(plan)
      if (plan.state === 'failed') this.state.failure = 'failed'
      if (plan.state === 'ready' || plan.state === 'failed') this.state.solvingId = null
    } catch (error) {
      this.state.failure = wordsOf(error)
    }
  }

  private take(plan: DispatchPlan): void {
    const isNew = this.state.plan?.id !== plan.id
    this.state.plan = plan
    if (plan.state === 'solving' || plan.state === 'cancelling') this.state.solvingId = plan.id
    if (!isNew) return
    const names = plan.alternatives.map((one) => one.name)
    this.state.chosen = names.includes('balanced') ? 'balanced' : (names[0] ?? null)
    this.acceptAll(false)
  }

  choose(name: AlternativeName): void {
    this.state.chosen = name
    this.acceptAll(false)
  }
  acceptAll(on: boolean): void {
    this.state.accepted = new Set(on ? [...this.open.value.lines, ...this.open.value.loads].map((item) => item.id) : [])
    this.key = newKey()
  }
  toggle(id: string): void {
    const next = new Set(this.state.accepted)
    if (!next.delete(id)) next.add(id)
    this.state.accepted = next
    this.key = newKey()
  }

  /** Order what is ticked. Returns how many orders went out. */
  async accept(): Promise<number> {
    const { plan } = this.state
    const shown = this.shown.value
    if (!plan || !shown || !this.state.accepted.size) return 0
    this.state.accepting = true
    try {
      const lines = this.open.value.lines.filter((line) => this.state.accepted.has(line.id)).map((line) => line.id)
      const loads = this.open.value.loads.filter((load) => this.state.accepted.has(load.id)).map((load) => load.id)
      const { orders } = await acceptLines(plan.id, shown.name, lines, loads, this.key)
      this.acceptAll(false)
      await this.hearPlan(plan.id)
      return orders.length
    } catch (error) {
      complain(error)
      return 0
    } finally {
      this.state.accepting = false
    }
  }

  async readOverrides(): Promise<void> {
    const found = await Promise.all(this.state.incidentIds.map((id) => listOverrides(id)))
    this.state.overrides = found.flatMap((one) => one.items)
  }
  async override(choice: { incident_id: string; task_id: string; need: number; team_id: string }): Promise<void> {
    await setOverride(choice)
    await this.readOverrides()
  }
  async lift(id: string): Promise<void> {
    await liftOverride(id)
    await this.readOverrides()
  }

  closeRoad(road: Road): boolean {
    const key = [...road.arc].sort().join()
    if (this.state.closed.some((one) => [...one.arc].sort().join() === key)) return false
    this.state.closed = [...this.state.closed, road]
    return true
  }
  openRoad(road: Road): void {
    this.state.closed = this.state.closed.filter((one) => one !== road)
  }
  loseTeam(id: string, name: string): void {
    if (!this.state.lost.some((team) => team.id === id)) this.state.lost = [...this.state.lost, { id, name }]
  }
  /** The wind over an incident that gives something off; null: nothing to avoid. */
  blow(incidentId: string, from: number | null): void {
    const { [incidentId]: _, ...others } = this.state.winds
    this.state.winds = from === null ? others : { ...others, [incidentId]: from }
  }
  findTeam(id: string): void {
    this.state.lost = this.state.lost.filter((team) => team.id !== id)
  }
}
