// Runs the page's own modules on messages as the server sends them, and writes the mesh.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, folder] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${modules}/${name}`).href);
const { PosedBody } = await load("body.js");
const { readBody, readFrame, readShape, kindOf, BODY, FRAME, SHAPE } = await load("wire.js");

function message(name, kind) {
  const { buffer } = new Uint8Array(readFileSync(`${folder}/${name}`));
  if (kindOf(buffer) !== kind) throw new Error(`${name} is of kind ${kindOf(buffer)}`);
  return buffer;
}

const body = readBody(message("body", BODY));
const shape = readShape(message("shape", SHAPE));
const frame = readFrame(message("frame", FRAME), body.expressions);
const [person] = frame.people;
const posed = new PosedBody(body);
posed.pose(shape, person);
writeFileSync(`${folder}/vertices`, posed.vertices);
writeFileSync(`${folder}/joints`, posed.joints);
const { people, ...numbers } = frame;
const { track, version } = shape;
console.log(JSON.stringify({ ...numbers, confidence: [...person.confidence], track, version, drawn: person.shape }));
