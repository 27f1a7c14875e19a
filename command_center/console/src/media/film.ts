/** Plays an HLS playlist in a video element; hls.js is loaded only where something is played. */

export interface Film {
  close(): void
}

export async function playFilm(video: HTMLVideoElement, url: string, isLive: boolean, failed: () => void): Promise<Film> {
  const { default: Hls } = await import('hls.js/light')
  if (!Hls.isSupported()) {
    video.src = url // Safari plays HLS by itself
    video.onerror = failed
    return { close: () => video.removeAttribute('src') }
  }
  const hls = new Hls(isLive ? { liveSyncDurationCount: 2, manifestLoadingMaxRetry: 20, manifestLoadingRetryDelay: 1000 } : {})
  let recoveries = 0
  hls.on(Hls.Events.ERROR, (_event, problem) => {
    if (!problem.fatal) return
    recoveries += 1
    if (problem.type === Hls.ErrorTypes.MEDIA_ERROR && recoveries < 4) hls.recoverMediaError()
    else if (isLive && recoveries < 20) window.setTimeout(() => hls.loadSource(url), 1500)
    else failed()
  })
  hls.loadSource(url)
  hls.attachMedia(video)
  return { close: () => hls.destroy() }
}
