import { defineStore } from 'pinia'
import { onScopeDispose, ref } from 'vue'
import { openLive, type LiveLine } from '@/api/live'
import { readHealth } from '@/api/session'
import type { PlanProgress } from '@/api/dispatch'
import type { Figures, Health, LiveEvent } from '@/api/types'

type Listener = (event: LiveEvent) => void
type FiguresListener = (figures: Figures) => void
type ProgressListener = (progress: PlanProgress) => void

/** The line to the server: its state, its health, and who wants to hear what happened. */
export const useLive = defineStore('live', () => {
  const connected = ref(true)
  const lostAt = ref<number | null>(null)
  const health = ref<Health | null>(null)
  const healthReachable = ref(true)
  const generation = ref(0)
  const listeners = new Set<Listener>()
  const figuresListeners = new Set<FiguresListener>()
  const progressListeners = new Set<ProgressListener>()
  let line: LiveLine | null = null
  let healthTimer = 0
  let graceTimer = 0
  let unanswered = 0

  function markDown(): void {
    if (graceTimer || !connected.value) return
    const since = Date.now()
    // A blink of the line is not worth a banner.
    graceTimer = window.setTimeout(() => {
      graceTimer = 0
      connected.value = false
      lostAt.value = since
    }, 1500)
  }
  function markUp(): void {
    window.clearTimeout(graceTimer)
    graceTimer = 0
    connected.value = true
    lostAt.value = null
    // Whatever happened before the line stood was told to nobody here: read it.
    generation.value += 1
    void checkHealth()
  }
  async function checkHealth(): Promise<void> {
    try {
      health.value = await readHealth()
      healthReachable.value = true
      unanswered = 0
    } catch {
      // One slow answer is no fault of the system yet.
      unanswered += 1
      if (unanswered >= 2) healthReachable.value = false
      else window.setTimeout(() => void checkHealth(), 2000)
    }
  }
  function open(): void {
    if (line) return
    line = openLive({
      event: (event) => listeners.forEach((listener) => listener(event)),
      figures: (figures) => figuresListeners.forEach((listener) => listener(figures)),
      progress: (progress) => progressListeners.forEach((listener) => listener(progress)),
      up: markUp,
      down: markDown,
      refused: markDown,
    })
    void checkHealth()
    healthTimer = window.setInterval(() => void checkHealth(), 10_000)
  }
  function close(): void {
    line?.close()
    line = null
    window.clearTimeout(graceTimer)
    graceTimer = 0
    window.clearInterval(healthTimer)
  }
  function retry(): void {
    close()
    open()
  }
  function listen(listener: Listener): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  function listenFigures(listener: FiguresListener): () => void {
    figuresListeners.add(listener)
    return () => figuresListeners.delete(listener)
  }
  function listenProgress(listener: ProgressListener): () => void {
    progressListeners.add(listener)
    return () => progressListeners.delete(listener)
  }
  return { connected, lostAt, health, healthReachable, generation, open, close, retry, listen, listenFigures, listenProgress }
})

/** Hear events while the calling component lives. */
export function whenLive(listener: Listener): void {
  onScopeDispose(useLive().listen(listener))
}

/** Hear loss and rates while the calling component lives. */
export function whenFigures(listener: FiguresListener): void {
  onScopeDispose(useLive().listenFigures(listener))
}

/** Hear how far the optimiser is while the calling component lives. */
export function whenProgress(listener: ProgressListener): void {
  onScopeDispose(useLive().listenProgress(listener))
}
