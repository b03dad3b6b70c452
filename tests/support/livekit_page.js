// A sharer in a page, by livekit-client with its defaults where `wanted` does not say otherwise: a canvas whose barcode
// counts 15 a second from `began` (Unix milliseconds), and a beep per second.
// wanted: {url, token, began, size: [width, height], codec?}   -> {video, audio}: track ids; window.room, window.canvas stay
async wanted => {
  const canvas = (window.canvas = Object.assign(document.createElement('canvas'), {
    width: wanted.size[0],
    height: wanted.size[1],
  }))
  document.body.append(canvas)
  const pen = canvas.getContext('2d')
  const draw = () => {
    const { width, height } = canvas
    const number = Math.floor(((Date.now() - wanted.began) * 15) / 1000)
    pen.fillStyle = '#555'
    pen.fillRect(0, 0, width, height)
    pen.fillStyle = '#999'
    pen.fillRect((number * 7) % width, height / 2, width / 8, height / 8)
    pen.fillStyle = '#000'
    pen.fillRect(0, 0, width, (height * 48) / 360)
    pen.fillStyle = '#fff'
    for (let bit = 0; bit < 16; bit++)
      if ((number >> bit) & 1) pen.fillRect(((bit * 40 + 2) * width) / 640, (height * 4) / 360, (36 * width) / 640, height / 9)
  }
  draw()
  setInterval(draw, 1000 / 15)
  const context = new AudioContext({ sampleRate: 48000 })
  await context.resume()
  const sound = context.createMediaStreamDestination()
  const loudness = new GainNode(context, { gain: 0 })
  const tone = new OscillatorNode(context, { frequency: 800 })
  tone.connect(loudness).connect(sound)
  tone.start()
  for (let second = 0; second < 120; second++) {
    loudness.gain.setValueAtTime(0.5, context.currentTime + second)
    loudness.gain.setValueAtTime(0, context.currentTime + second + 0.1)
  }
  const room = (window.room = new LivekitClient.Room())
  await room.connect(wanted.url, wanted.token)
  const options = wanted.codec ? { videoCodec: wanted.codec } : {}
  const publish = (track, source, more) => room.localParticipant.publishTrack(track, { source, ...more })
  window.share = async () => {
    const [picture] = canvas.captureStream(15).getVideoTracks()
    const video = await publish(picture, 'screen_share', options)
    const audio = await publish(sound.stream.getAudioTracks()[0].clone(), 'screen_share_audio', {})
    return { video: video.trackSid, audio: audio.trackSid }
  }
  return window.share()
}
