// A sharer in a page, by livekit-client with its defaults where `wanted` does not say otherwise. The picture's barcode
// says when it was drawn, in hundredths of a second after `began` (Unix milliseconds); the beep of every second of that
// same clock says which one it is by its pitch. See pictures.py. The clock is that of the sound.
// wanted: {url, token, began, size: [width, height], fps, tab?: share what the page shows, publish?: more options}
// Afterwards: window.share(publish?) publishes again, window.take_back() unpublishes, window.mute(muted) is of the video,
// window.still stops drawing; canvas and room are there, too.
async wanted => {
  const canvas = (window.canvas = Object.assign(document.createElement('canvas'), {
    width: wanted.size[0],
    height: wanted.size[1],
  }))
  canvas.style = 'position: fixed; left: 0; top: 0'
  document.body.replaceChildren(canvas)
  const pen = canvas.getContext('2d')
  const context = new AudioContext({ sampleRate: 48000 })
  await context.resume()
  const sound = context.createMediaStreamDestination()
  const loudness = new GainNode(context, { gain: 0 })
  const tone = new OscillatorNode(context)
  tone.connect(loudness).connect(wanted.tab ? context.destination : sound)
  tone.start()
  const ahead = (Date.now() - wanted.began) / 1000 - context.currentTime
  // What is shown at a time in a tab belongs to what is heard then.
  const unheard = () => (wanted.tab ? context.baseLatency + context.outputLatency : 0)
  const now = () => context.currentTime - unheard() + ahead
  for (let second = Math.ceil(now()), last = second + 120; second < last; second++) {
    tone.frequency.setValueAtTime(400 + 40 * (second % 60), second - ahead)
    loudness.gain.setValueAtTime(0.8, second - ahead)
    loudness.gain.setValueAtTime(0, second - ahead + 0.1)
  }
  const draw = () => {
    if (window.still) return
    const { width, height } = canvas
    const number = Math.floor(now() * 100)
    pen.fillStyle = '#555'
    pen.fillRect(0, 0, width, height)
    pen.fillStyle = '#999'
    pen.fillRect((number * 2) % width, height / 2, width / 8, height / 8)
    pen.fillStyle = '#000'
    pen.fillRect(0, 0, width, (height * 48) / 360)
    pen.fillStyle = '#fff'
    for (let bit = 0; bit < 16; bit++)
      if ((number >> bit) & 1) pen.fillRect(((bit * 40 + 2) * width) / 640, (height * 4) / 360, (36 * width) / 640, height / 9)
  }
  draw()
  setInterval(draw, 1000 / wanted.fps)
  const room = (window.room = new LivekitClient.Room())
  await room.connect(wanted.url, wanted.token)
  const sharer = room.localParticipant
  const publish = (track, source, more) => sharer.publishTrack(track, { source, ...more })
  window.share = async (options = wanted.publish) => {
    if (wanted.tab) {
      await sharer.setScreenShareEnabled(true, { audio: true, preferCurrentTab: true }, options)
    } else {
      await publish(canvas.captureStream(wanted.fps).getVideoTracks()[0], 'screen_share', options)
      await publish(sound.stream.getAudioTracks()[0].clone(), 'screen_share_audio', {})
    }
  }
  window.take_back = () =>
    sharer.unpublishTracks([...sharer.trackPublications.values()].map(publication => publication.track))
  window.mute = async muted => {
    const { track } = sharer.getTrackPublication('screen_share')
    await (muted ? track.mute() : track.unmute())
  }
  await window.share()
}
