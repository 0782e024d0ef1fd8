// Makes derivatives with sharp as a hand-written script would: GET the source, decode it once, PUT every derivative.
//
// Each line on standard input is a task, {folder, keys, presets}; each is answered with a line. The largest derivative's
// pixels are made while the source is decoded; the others are made from these. The ways that were slower: decoding anew
// for each derivative, and making all of them from the pixels of the whole source.
'use strict';
const http = require('node:http');
const readline = require('node:readline');
const { Client } = require('minio');
const sharp = require('sharp');

const { ENDPOINT, REGION, IMAGES, STORED, ACCESS_KEY, SECRET_KEY, IN_FLIGHT } = process.env;
const url = new URL(ENDPOINT);
const store = new Client({
  endPoint: url.hostname,
  port: Number(url.port),
  useSSL: url.protocol === 'https:',
  region: REGION,
  accessKey: ACCESS_KEY,
  secretKey: SECRET_KEY,
  transportAgent: new http.Agent({ keepAlive: true, maxSockets: 32 }),
});
sharp.cache(false); // every source is new
sharp.concurrency(1); // a thread per picture: several pictures have both cores busy already

// Sizes are those of the source's aspect ratio: that of a shrunk copy is rounded already.
function shrunk(image, preset, source) {
  if (preset.geometry === 'cover') return image.resize(preset.width, preset.height, { fit: 'cover' });
  const scale = Math.max(source.width / preset.width, source.height / preset.height, 1);
  return image.resize(Math.round(source.width / scale), Math.round(source.height / scale), { fit: 'fill' });
}

function encoded(image, preset) {
  return preset.format === 'webp'
    ? image.webp({ quality: preset.quality, effort: preset.effort })
    : image.jpeg({ quality: preset.quality, optimiseCoding: false });
}

async function pixels(image) {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return () => sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
}

async function rendered(source, presets) {
  const size = await sharp(source).metadata();
  const area = (preset) => (preset.geometry === 'cover' ? 0 : preset.width * preset.height);
  const largest = presets.reduce((one, other) => (area(other) > area(one) ? other : one));
  const first = shrunk(sharp(source), largest, size);
  if (presets.length === 1) return [await encoded(first, largest).toBuffer()];
  const copy = await pixels(first);
  return Promise.all(presets.map((preset) => encoded(shrunk(copy(), preset, size), preset).toBuffer()));
}

async function fetched(key) {
  const chunks = [];
  for await (const chunk of await store.getObject(IMAGES, key)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function develop({ folder, presets }, key, number) {
  const made = await rendered(await fetched(key), presets);
  await Promise.all(made.map((data, index) => {
    const headers = { 'Content-Type': `image/${presets[index].format}` };
    return store.putObject(STORED, `${folder}/${number}/${presets[index].name}`, data, data.length, headers);
  }));
}

async function perform(task) {
  const waiting = task.keys.entries();
  const take = async () => { for (const [number, key] of waiting) await develop(task, key, number); };
  await Promise.all(Array.from({ length: Number(IN_FLIGHT) }, take));
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const answer = await perform(JSON.parse(line)).then(() => ({}), (error) => ({ error: String(error) }));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
})();
