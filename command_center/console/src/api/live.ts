/** Live events by Socket.IO; what was missed while away is fetched again by `seq`. */
import { io, type Socket } from 'socket.io-client'
import { get, query, type Items } from './client'
import type { PlanProgress } from './dispatch'
import type { Figures, LiveEvent } from './types'

export interface LiveLine {
  close(): void
}
export interface LiveListener {
  event(event: LiveEvent): void
  figures?(figures: Figures): void
  progress?(progress: PlanProgress): void
  up(): void
  down(): void
  refused(): void
}

export function openLive(listener: LiveListener, joinToken?: string): LiveLine {
  let lastSeq = 0
  const socket: Socket = io({
    path: '/socket.io',
    transports: ['websocket', 'polling'],
    auth: joinToken ? { join_token: joinToken } : {},
    reconnectionDelay: 500,
    reconnectionDelayMax: 4000,
  })
  const take = (event: LiveEvent) => {
    if (event.seq && event.seq <= lastSeq) return
    if (event.seq) lastSeq = event.seq
    listener.event(event)
  }
  socket.on('event', take)
  socket.on('stats', (figures: Figures) => listener.figures?.(figures))
  socket.on('dispatch_progress', (progress: PlanProgress) => listener.progress?.(progress))
  socket.on('connect', () => {
    listener.up()
    if (lastSeq > 0 && !joinToken) void catchUp(lastSeq, take)
  })
  socket.on('disconnect', () => listener.down())
  socket.on('connect_error', () => {
    listener.down()
    if (!socket.active) listener.refused()
  })
  return { close: () => socket.disconnect() }
}

async function catchUp(after: number, take: (event: LiveEvent) => void): Promise<void> {
  try {
    const { items } = await get<Items<LiveEvent>>(`/events${query({ after, limit: 500 })}`)
    for (const event of items) take(event)
  } catch {
    // The pages read everything anew on reconnection, so a failed replay loses nothing.
  }
}
