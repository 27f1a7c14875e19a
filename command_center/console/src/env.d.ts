/// <reference types="vite/client" />
declare module '*?worker&url' {
  const url: string
  export default url
}

/** The smaller build has no declarations of its own. */
declare module 'hls.js/light' {
  export { default } from 'hls.js'
}
