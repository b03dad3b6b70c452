// What a person in front of a browser sees of a clip: its length, its first picture, its picture at some times.
// Returns {firstFrameMs, duration, first, seeks: [number], error}; numbers are those of the barcodes.
async ([url, times]) => {
  const video = document.createElement("video");
  video.muted = true;
  video.preload = "auto";
  document.body.append(video);
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const happens = (name, within = 8000) =>
    new Promise((resolve) => {
      video.addEventListener(name, () => resolve(true), { once: true });
      video.addEventListener("error", () => resolve(false), { once: true });
      setTimeout(resolve, within, false);
    });
  const number = () => {
    canvas.width = video.videoWidth || 1;
    canvas.height = video.videoHeight || 1;
    pen.drawImage(video, 0, 0);
    const y = Math.round((24 * canvas.height) / 360);
    let found = 0;
    for (let bit = 0; bit < 16; bit++) {
      const x = Math.round(((bit * 40 + 20) * canvas.width) / 640);
      if (pen.getImageData(x, y, 1, 1).data[0] > 128) found |= 1 << bit;
    }
    return found;
  };
  const begun = performance.now();
  const shown = new Promise((resolve) => {
    video.requestVideoFrameCallback(() => resolve(performance.now() - begun));
    setTimeout(resolve, 8000, null);
  });
  const playable = happens("canplay");
  video.src = url;
  const ready = await playable;
  const firstFrameMs = await shown;
  const result = { firstFrameMs, duration: video.duration, first: ready ? number() : null, seeks: [] };
  for (const time of ready ? times : []) {
    const done = happens("seeked");
    // On a busy machine "seeked" can come before the new picture is drawn; the same picture again is never drawn anew.
    const drawn = new Promise((resolve) => {
      video.requestVideoFrameCallback(resolve);
      setTimeout(resolve, 2000);
    });
    video.currentTime = time;
    const sought = await done;
    await drawn;
    result.seeks.push(sought ? number() : null);
  }
  result.error = video.error && `${video.error.code} ${video.error.message}`;
  video.removeAttribute("src");
  video.load();
  video.remove();
  return result;
};
