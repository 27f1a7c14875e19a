/**
 * One bidirectional WebRTC session with the consultation: offer up, answer down, and back again by
 * itself after a lost network or a restarted media node. Console and phone page share it.
 */
import { endSession, postOffer, readIceServers, type MediaCredentials } from '@/api/media_session'
import { newKey } from '@/api/client'
import { Problem } from '@/api/problem'

export type SessionState = 'idle' | 'connecting' | 'live' | 'reconnecting' | 'refused' | 'closed'

export interface SessionListener {
  state(state: SessionState): void
  remote(stream: MediaStream): void
  /** The second stream; its track is silent while nobody presents. */
  content?(stream: MediaStream): void
  refused(problem: Problem): void
  /** Another window of this browser took the same place in the consultation. */
  elsewhere(): void
  /** Asked before coming back: false when the desk hung up, which a machine must respect. */
  mayReturn(): Promise<boolean>
  hungUp(): void
}

const GATHERING_MS = 1500
const RELAY_MS = 6000
const CHANNEL = 'cc.media'
const SILENCE_MS = 4000
const CONNECT_MS = 12_000
const CONTENT_BPS = 2_000_000
const CONTENT_FPS = 10
const WAITS_MS = [300, 1000, 2000, 4000, 5000]

export class MediaSession {
  private connection: RTCPeerConnection | null = null
  private location: string | null = null
  private remote = new MediaStream()
  private camera: RTCRtpSender | null = null
  private content: RTCRtpTransceiver | null = null
  private attempt = 0
  private epoch = 0
  private retryTimer = 0
  private watchTimer = 0
  private lastBytes = 0
  private lastBytesAt = 0
  private current: SessionState = 'idle'
  private readonly windowId = newKey()
  private channel: BroadcastChannel | null = null
  private readonly onOnline = () => this.reconnect('network')
  private readonly onPageHide = () => this.close()

  constructor(
    private readonly at: MediaCredentials,
    private stream: MediaStream | null,
    private readonly listener: SessionListener,
  ) {}

  get state(): SessionState {
    return this.current
  }

  start(): void {
    window.addEventListener('online', this.onOnline)
    window.addEventListener('pagehide', this.onPageHide)
    this.become('connecting')
    this.claimPlace()
    void this.connect()
  }

  /** Send other tracks (or none) from now on: a new session, since the offer's directions change. */
  async changeStream(stream: MediaStream | null): Promise<void> {
    this.stream = stream
    this.attempt = 0
    this.become('connecting')
    await this.drop()
    void this.connect()
  }

  /** The camera was turned round: same session, another track. */
  async replaceVideo(track: MediaStreamTrack): Promise<void> {
    await this.camera?.replaceTrack(track)
  }

  /**
   * Send this track as the second stream, or nothing. Its line is negotiated with every session and
   * idle until then, so nothing has to be negotiated anew.
   */
  async present(track: MediaStreamTrack | null): Promise<void> {
    const sender = this.content?.sender
    if (!sender) return
    await sender.replaceTrack(track)
    if (!track) return
    const parameters = sender.getParameters()
    parameters.degradationPreference = 'maintain-resolution'
    for (const encoding of parameters.encodings) Object.assign(encoding, { maxBitrate: CONTENT_BPS, maxFramerate: CONTENT_FPS })
    await sender.setParameters(parameters).catch(() => undefined)
  }

  reconnect(_why: string): void {
    if (this.current === 'idle' || this.current === 'closed' || this.current === 'refused') return
    this.schedule(0)
  }

  close(): void {
    if (this.current === 'closed') return
    this.become('closed')
    this.release()
    void this.drop()
  }

  /**
   * A member has one session: a second window replaces the first, which must not take it back by
   * reconnecting, or both would do so for ever.
   */
  private claimPlace(): void {
    const place = `${this.at.consultationId} ${this.at.bearer ?? ''}`
    this.channel = new BroadcastChannel(CHANNEL)
    this.channel.onmessage = ({ data }: MessageEvent<{ place: string; windowId: string }>) => {
      if (data.place !== place || data.windowId === this.windowId) return
      this.location = null
      void this.drop()
      this.release()
      this.become('refused')
      this.listener.elsewhere()
    }
    this.channel.postMessage({ place, windowId: this.windowId })
  }

  private release(): void {
    this.channel?.close()
    this.channel = null
    window.removeEventListener('online', this.onOnline)
    window.removeEventListener('pagehide', this.onPageHide)
  }

  private become(state: SessionState): void {
    if (this.current === state) return
    this.current = state
    this.listener.state(state)
  }

  private async drop(): Promise<void> {
    this.epoch += 1
    window.clearTimeout(this.retryTimer)
    window.clearInterval(this.watchTimer)
    this.connection?.close()
    this.connection = null
    const location = this.location
    this.location = null
    if (location) await endSession(location, this.at.bearer).catch(() => undefined)
  }

  private schedule(wait: number): void {
    this.epoch += 1
    window.clearInterval(this.watchTimer)
    window.clearTimeout(this.retryTimer)
    this.connection?.close()
    this.connection = null
    this.become('reconnecting')
    this.retryTimer = window.setTimeout(() => void this.comeBack(), wait)
  }

  private async comeBack(): Promise<void> {
    const epoch = this.epoch
    const isWanted = await this.listener.mayReturn().catch(() => true)
    if (epoch !== this.epoch) return
    if (isWanted) {
      await this.connect()
      return
    }
    void this.drop()
    this.release()
    this.become('refused')
    this.listener.hungUp()
  }

  private retryLater(): void {
    const wait = WAITS_MS[Math.min(this.attempt, WAITS_MS.length - 1)] ?? 5000
    this.attempt += 1
    this.schedule(wait)
  }

  private async connect(): Promise<void> {
    const epoch = ++this.epoch
    // Without a relay, or without an answer, the direct way is tried all the same.
    const iceServers = await readIceServers(this.at).catch(() => [])
    if (epoch !== this.epoch) return
    const connection = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' })
    this.connection = connection
    this.remote = new MediaStream()
    this.addTransceivers(connection)
    connection.ontrack = (event) => {
      if (epoch !== this.epoch) return
      if (event.transceiver === this.content) {
        this.listener.content?.(new MediaStream([event.track]))
        return
      }
      this.remote.addTrack(event.track)
      this.listener.remote(this.remote)
    }
    connection.onconnectionstatechange = () => epoch === this.epoch && this.onConnectionState(connection)
    try {
      await connection.setLocalDescription(await connection.createOffer())
      await gathered(connection)
      if (epoch !== this.epoch) return
      const offer = markContent(connection.localDescription?.sdp ?? '', this.content?.mid ?? null)
      const answer = await postOffer(this.at, offer)
      if (epoch !== this.epoch) {
        if (answer.location) void endSession(answer.location, this.at.bearer).catch(() => undefined)
        return
      }
      this.location = answer.location
      await connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp })
      this.watch(epoch, connection)
    } catch (error) {
      if (epoch !== this.epoch) return
      this.onFailure(error)
    }
  }

  private addTransceivers(connection: RTCPeerConnection): void {
    for (const kind of ['audio', 'video'] as const) {
      const track = this.stream?.getTracks().find((one) => one.kind === kind)
      const transceiver = track
        ? connection.addTransceiver(track, { direction: 'sendrecv', streams: this.stream ? [this.stream] : [] })
        : connection.addTransceiver(kind, { direction: 'recvonly' })
      if (kind === 'video') {
        preferH264(transceiver)
        this.camera = transceiver.sender
      }
    }
    this.content = connection.addTransceiver('video', { direction: 'sendrecv' })
    preferH264(this.content)
  }

  private onFailure(error: unknown): void {
    if (error instanceof Problem && !error.isConnection && error.status !== 429 && error.status < 500) {
      // 409 while the consultation is being carried to another node passes; the others do not.
      if (error.status !== 409 || this.attempt > 6) {
        this.connection?.close()
        this.become('refused')
        this.listener.refused(error)
        return
      }
    }
    this.retryLater()
  }

  private onConnectionState(connection: RTCPeerConnection): void {
    if (connection.connectionState === 'connected') {
      this.attempt = 0
      this.become('live')
    } else if (connection.connectionState === 'failed') {
      this.retryLater()
    }
  }

  /** ICE takes half a minute to admit that the far end is gone; missing packets tell it sooner. */
  private watch(epoch: number, connection: RTCPeerConnection): void {
    this.lastBytes = -1
    this.lastBytesAt = Date.now()
    const startedAt = Date.now()
    window.clearInterval(this.watchTimer)
    this.watchTimer = window.setInterval(async () => {
      if (epoch !== this.epoch) return
      if (connection.connectionState !== 'connected') {
        if (Date.now() - startedAt > CONNECT_MS) this.retryLater()
        return
      }
      const bytes = await bytesReceived(connection)
      if (epoch !== this.epoch) return
      if (bytes !== this.lastBytes) {
        this.lastBytes = bytes
        this.lastBytesAt = Date.now()
      } else if (Date.now() - this.lastBytesAt > SILENCE_MS) this.retryLater()
    }, 1000)
  }

  /** The share of our packets that the far end missed lately, in per cent; null when unknown. */
  async outgoingLoss(): Promise<number | null> {
    const report = await this.connection?.getStats()
    let worst: number | null = null
    report?.forEach((entry: { type: string; fractionLost?: number }) => {
      if (entry.type === 'remote-inbound-rtp' && typeof entry.fractionLost === 'number') {
        worst = Math.max(worst ?? 0, entry.fractionLost * 100)
      }
    })
    return worst
  }
}

/** RFC 4796: says of the section with this MID that it carries slides, which no browser writes. */
export function markContent(sdp: string, mid: string | null): string {
  if (mid === null) return sdp
  return sdp.replace(new RegExp(`a=mid:${mid}\r\n`), (line) => `${line}a=content:slides\r\n`)
}

function preferH264(transceiver: RTCRtpTransceiver): void {
  const codecs = RTCRtpReceiver.getCapabilities?.('video')?.codecs
  if (!codecs || !transceiver.setCodecPreferences) return
  const rank = (mime: string) => (mime === 'video/H264' ? 0 : mime === 'video/VP8' ? 1 : 2)
  const wanted = codecs.filter((codec) => rank(codec.mimeType) < 2 || /rtx$/.test(codec.mimeType))
  wanted.sort((a, b) => rank(a.mimeType) - rank(b.mimeType))
  if (wanted.length) transceiver.setCodecPreferences(wanted)
}

async function bytesReceived(connection: RTCPeerConnection): Promise<number> {
  let bytes = 0
  const report = await connection.getStats()
  report.forEach((entry: { type: string; bytesReceived?: number }) => {
    if (entry.type === 'inbound-rtp') bytes += entry.bytesReceived ?? 0
  })
  return bytes
}

/** All candidates; where there is a relay, it is waited for, as it may be the only way out. */
export function gathered(connection: RTCPeerConnection): Promise<void> {
  const hasRelay = Boolean(connection.getConfiguration().iceServers?.length)
  if (connection.iceGatheringState === 'complete') return Promise.resolve()
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, hasRelay ? RELAY_MS : GATHERING_MS)
    connection.addEventListener('icecandidate', (event) => {
      if (event.candidate?.type !== 'relay') return
      window.clearTimeout(timer)
      resolve()
    })
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState !== 'complete') return
      window.clearTimeout(timer)
      resolve()
    })
  })
}
