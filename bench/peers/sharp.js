// Pictures by URL with sharp, and nothing else: GET /<file>?w=400&h=300&format=webp.
// node sharp.js <port> <folder> <quality>

const http = require("http");
const path = require("path");
const sharp = require("sharp");

const [port, folder, quality] = process.argv.slice(2);
sharp.cache(false);

async function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, "http://localhost");
  const [width, height] = ["w", "h"].map((name) => Number(searchParams.get(name)));
  const format = searchParams.get("format") === "webp" ? "webp" : "jpeg";
  const picture = sharp(path.join(folder, path.normalize(pathname))).resize(width, height);
  const body = await picture.toFormat(format, { quality: Number(quality) }).toBuffer();
  response.writeHead(200, { "Content-Type": `image/${format}`, "Content-Length": body.length });
  response.end(body);
}

http
  .createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  })
  .listen(Number(port), "127.0.0.1");
