// A WHIP publisher page: a moving canvas with a tone, by RTCPeerConnection; what is not in `wanted` is as browsers do.
// wanted: {url, codecs?: pattern of mime types, simulcast?: bool, size?: [width, height]}
async wanted => {
  const [width, height] = wanted.size ?? [640, 360]
  const canvas = Object.assign(document.createElement('canvas'), { width, height })
  const pen = canvas.getContext('2d')
  let count = 0
  setInterval(() => {
    pen.fillStyle = `hsl(${count++ % 360} 80% 50%)`
    pen.fillRect(0, 0, width, height)
    pen.fillStyle = '#000'
    pen.fillText(String(count), (count * 7) % width, height / 2)
  }, 33)
  const context = new AudioContext({ sampleRate: 48000 })
  const sound = context.createMediaStreamDestination()
  const stereo = context.createChannelMerger(2)
  for (const [channel, pitch] of [440, 660].entries()) {
    const tone = new OscillatorNode(context, { frequency: pitch })
    tone.connect(stereo, 0, channel)
    tone.start()
  }
  stereo.connect(sound)
  await context.resume()
  const pc = (window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' }))
  const sendEncodings = wanted.simulcast ? [{ rid: 'f' }, { rid: 'h', scaleResolutionDownBy: 2 }] : undefined
  const [picture] = canvas.captureStream(30).getVideoTracks()
  const video = pc.addTransceiver(picture, { direction: 'sendonly', sendEncodings })
  if (wanted.codecs) {
    const offered = RTCRtpSender.getCapabilities('video').codecs
    video.setCodecPreferences(offered.filter(codec => new RegExp(wanted.codecs, 'i').test(codec.mimeType)))
  }
  pc.addTransceiver(sound.stream.getAudioTracks()[0], { direction: 'sendonly' })
  await pc.setLocalDescription()
  const type = { 'Content-Type': 'application/sdp' }
  const reply = await fetch(wanted.url, { method: 'POST', body: pc.localDescription.sdp, headers: type })
  const sdp = await reply.text()
  if (!reply.ok) return { status: reply.status, body: sdp }
  window.resource = new URL(reply.headers.get('Location'), wanted.url).href
  window.etag = reply.headers.get('ETag')
  await pc.setRemoteDescription({ type: 'answer', sdp })
  window.restart = async () => {
    const answer = pc.remoteDescription.sdp
    pc.restartIce()
    await pc.setLocalDescription()
    const line = pattern => (pc.localDescription.sdp.match(pattern) ?? [''])[0].trim()
    const body = [/a=group:BUNDLE.*/, /m=.*/, /a=mid:.*/, /a=ice-ufrag:.*/, /a=ice-pwd:.*/].map(line).join('\r\n') + '\r\n'
    const headers = { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*' }
    const reply = await fetch(window.resource, { method: 'PATCH', body, headers })
    const fragment = await reply.text()
    window.etag = reply.headers.get('ETag')
    const renewed = ['ice-ufrag', 'ice-pwd'].reduce(
      (text, name) => text.replace(new RegExp(`a=${name}:.*`, 'g'), fragment.match(new RegExp(`a=${name}:.*`))[0]),
      answer,
    )
    await pc.setRemoteDescription({ type: 'answer', sdp: renewed })
    return reply.status
  }
  return { status: reply.status, body: sdp }
}
