/** Everything one incident's page shows, read together and kept fresh by live events. */
import { reactive } from 'vue'
import { wordsOf } from '@/adapters/feedback'
import type { Items } from '@/api/client'
import { listOrders, listReports, listTasks, listTimeline, proposePlans, readIncident } from '@/api/incidents'
import { Problem } from '@/api/problem'
import type { Incident, LiveEvent, Order, PlanProposal, StoredReport, Task, TimelineEntry } from '@/api/types'
import { newest } from '@/composables/newest'

export class CaseFile {
  readonly state = reactive({
    incident: null as Incident | null,
    timeline: [] as TimelineEntry[],
    tasks: [] as Task[],
    orders: [] as Order[],
    plans: [] as PlanProposal[],
    reports: [] as StoredReport[],
    missing: false,
    failure: '',
  })
  private readonly waiting = new Map<string, number>()
  private stopped = false

  constructor(readonly id: string) {}

  async readAll(): Promise<void> {
    await this.readIncident()
    if (!this.state.incident) return
    await Promise.all([this.readTimeline(), this.readTasks(), this.readOrders(), this.readPlans(), this.readReports()])
  }

  private readonly newestIncident = newest()
  readIncident = (): Promise<void> =>
    this.reading(async () => {
      try {
        await this.newestIncident(() => readIncident(this.id), (found) => {
          this.state.incident = found
          this.state.missing = false
        })
      } catch (error) {
        if (error instanceof Problem && (error.status === 404 || error.status === 403 || error.status === 422)) this.state.missing = true
        else throw error
      }
    })
  readTimeline = this.listReading(listTimeline, (items) => (this.state.timeline = items))
  readTasks = this.listReading(listTasks, (items) => (this.state.tasks = items))
  readOrders = this.listReading(listOrders, (items) => (this.state.orders = items))
  readPlans = this.listReading(proposePlans, (items) => (this.state.plans = items))
  readReports = this.listReading(listReports, (items) => (this.state.reports = items))

  /** Read again what the event touched; a burst of events costs one reading of each. */
  hear(event: LiveEvent): void {
    if (event.incident_id !== this.id) return
    this.soon('timeline', this.readTimeline)
    if (event.type === 'task.updated' || event.type === 'response.activated') this.soon('tasks', this.readTasks)
    if (event.type === 'order.updated') this.soon('orders', this.readOrders)
    if (event.type !== 'timeline.added' && event.type !== 'task.updated' && event.type !== 'participant.updated') {
      this.soon('incident', this.readIncident)
    }
    if (event.type === 'incident.updated') {
      this.soon('plans', this.readPlans)
      this.soon('reports', this.readReports)
    }
  }

  stop(): void {
    this.stopped = true
    for (const timer of this.waiting.values()) window.clearTimeout(timer)
  }

  private soon(name: string, read: () => Promise<void>): void {
    if (this.waiting.has(name) || this.stopped) return
    this.waiting.set(
      name,
      window.setTimeout(() => {
        this.waiting.delete(name)
        void read()
      }, 200),
    )
  }

  private listReading<T>(ask: (id: string) => Promise<Items<T>>, take: (items: T[]) => void): () => Promise<void> {
    const read = newest()
    return () => this.reading(() => read(() => ask(this.id), (found) => take(found.items)))
  }

  private async reading(work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.state.failure = ''
    } catch (error) {
      this.state.failure = wordsOf(error)
    }
  }
}
