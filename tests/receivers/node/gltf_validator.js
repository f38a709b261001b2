// Khronos' glTF validator on files; prints its report on each as a line of JSON.

const fs = require("fs");
const validator = require("gltf-validator");

(async () => {
  for (const file of process.argv.slice(2)) {
    const bytes = new Uint8Array(fs.readFileSync(file));
    console.log(JSON.stringify(await validator.validateBytes(bytes)));
  }
})();
