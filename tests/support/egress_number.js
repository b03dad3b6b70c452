// The number in a picture of the Egress fixtures: 14 blocks of 16 pixels in the upper left corner, 640 wide.
(video) => {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  canvas.width = video.videoWidth || 1;
  canvas.height = video.videoHeight || 1;
  pen.drawImage(video, 0, 0);
  let found = 0;
  for (let bit = 0; bit < 14; bit++) if (pen.getImageData(bit * 16 + 8, 16, 1, 1).data[0] > 128) found |= 1 << bit;
  return found;
};
