import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { listConsultations } from '@/api/consultations'
import { listIncidents, listOrders } from '@/api/incidents'
import type { Consultation, Incident, Order } from '@/api/types'
import { newest } from '@/composables/newest'
import { useClock } from './clock'
import { useLive } from './live'
import { nextClock } from './deadlines'

/** What is open now: incidents, consultations and overdue orders, kept fresh by live events. */
export const useSituation = defineStore('situation', () => {
  const incidents = ref<Incident[]>([])
  const consultations = ref<Consultation[]>([])
  const ordersByIncident = ref<Record<string, Order[]>>({})
  const loaded = ref(false)
  const failure = ref<unknown>(null)
  const currentId = ref<string | null>(null)
  const clock = useClock()
  const pending = new Map<string, number>()
  const readAll = newest()
  const readOrders = new Map<string, ReturnType<typeof newest>>()

  const urgent = computed(() => [...incidents.value].sort((a, b) => dueOf(a) - dueOf(b)))
  const current = computed(() => incidents.value.find((item) => item.id === currentId.value) ?? null)
  const overdueOrders = computed(() =>
    Object.entries(ordersByIncident.value).flatMap(([incidentId, orders]) =>
      orders.filter((order) => isOverdue(order, clock.now)).map((order) => ({ ...order, incident_id: incidentId })),
    ),
  )
  const lateClocks = computed(() =>
    incidents.value.flatMap((incident) =>
      incident.clocks
        .filter((item) => !item.done_at && item.state !== 'closed' && item.state !== 'done' && Date.parse(item.due_at) < clock.now)
        .map((item) => ({ incident, clock: item })),
    ),
  )

  async function refresh(): Promise<void> {
    try {
      await readAll(() => Promise.all([listIncidents('open'), listConsultations('open')]), ([open, running]) => {
        incidents.value = open.items
        consultations.value = running.items
        failure.value = null
        loaded.value = true
      })
      // Orders are read for the most urgent few; an incident's page reads its own.
      await Promise.all(urgent.value.slice(0, 12).map((incident) => refreshOrders(incident.id)))
    } catch (error) {
      failure.value = error
    }
  }
  async function refreshOrders(incidentId: string): Promise<void> {
    try {
      const read = readOrders.get(incidentId) ?? newest()
      readOrders.set(incidentId, read)
      await read(() => listOrders(incidentId), ({ items }) => {
        ordersByIncident.value = { ...ordersByIncident.value, [incidentId]: items }
      })
    } catch {
      // Kept as it was; the next event or reconnection reads it again.
    }
  }
  /** Many events in a burst cost one reading. */
  function soon(name: string, work: () => Promise<void>): void {
    if (pending.has(name)) return
    pending.set(
      name,
      window.setTimeout(() => {
        pending.delete(name)
        void work()
      }, 250),
    )
  }
  function begin(): () => void {
    void refresh()
    const live = useLive()
    // What happened while the line was down is read anew once it is up again.
    const unwatch = watch(() => live.generation, () => void refresh())
    const unlisten = live.listen((event) => {
      if (event.type === 'order.updated' && event.incident_id) {
        const id = event.incident_id
        soon(`orders:${id}`, () => refreshOrders(id))
      } else if (event.type !== 'timeline.added' && event.type !== 'task.updated') {
        soon('all', refresh)
      }
    })
    return () => {
      unwatch()
      unlisten()
    }
  }
  return {
    incidents, consultations, ordersByIncident, loaded, failure, currentId, current,
    urgent, overdueOrders, lateClocks, refresh, refreshOrders, soon, begin,
  }
})

function dueOf(incident: Incident): number {
  const next = nextClock(incident)
  return next ? Date.parse(next.due_at) : Number.MAX_SAFE_INTEGER - Date.parse(incident.received_at)
}

export function isOverdue(order: Order, now: number): boolean {
  if (order.state === 'done' || order.state === 'declined' || order.state === 'cancelled') return false
  return order.overdue || (order.due_at !== null && Date.parse(order.due_at) < now)
}
