// What a preview sees of a segment: its init and fragments are appended one by one, then the picture is looked at.
// [base64 file, [[begin, end]], MIME type, origin in seconds, [seconds], numberOf] -> {buffered, seen: [number|null]}
async ([file, pieces, type, origin, times, numberOf]) => {
  const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
  const happens = (target, name, within = 8000) =>
    new Promise((resolve) => {
      target.addEventListener(name, () => resolve(true), { once: true });
      setTimeout(resolve, within, false);
    });
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const media = new MediaSource();
  video.src = URL.createObjectURL(media);
  await happens(media, "sourceopen");
  const buffer = media.addSourceBuffer(type);
  buffer.timestampOffset = -origin;
  for (const [begin, end] of pieces) {
    const appended = happens(buffer, "updateend");
    buffer.appendBuffer(bytes.slice(begin, end));
    await appended;
  }
  media.endOfStream();
  const number = eval(numberOf);
  const seen = [];
  for (const time of times) {
    const arrived = happens(video, "seeked");
    video.currentTime = time;
    const there = await arrived;
    await new Promise((resolve) => setTimeout(resolve, 100)); // "seeked" may come before the picture is drawn
    seen.push(there ? number(video) : null);
  }
  const buffered = [];
  for (let at = 0; at < video.buffered.length; at++) buffered.push([video.buffered.start(at), video.buffered.end(at)]);
  video.remove();
  return { buffered, seen };
};
