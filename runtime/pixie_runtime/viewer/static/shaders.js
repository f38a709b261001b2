// The programs of the graphics card (WebGL 2).

const PLACED = `
uniform mat4 uWorld;
layout(location = 0) in vec3 aPosition;
`;

const SHADOW = `
uniform highp sampler2DShadow uShadow;
uniform mat4 uLight;

float lit(vec3 position, float bias) {
  vec3 at = (uLight * vec4(position, 1.0)).xyz * 0.5 + 0.5;
  if (any(lessThan(at, vec3(0.0))) || any(greaterThan(at, vec3(1.0)))) return 1.0;
  float texel = 1.0 / float(textureSize(uShadow, 0).x);
  float sum = 0.0;
  for (int y = -1; y <= 1; y++) {
    for (int x = -1; x <= 1; x++) {
      sum += texture(uShadow, vec3(at.xy + 1.6 * texel * vec2(x, y), at.z - bias));
    }
  }
  return sum / 9.0;
}
`;

export const body = {
  vertex: `#version 300 es
precision highp float;
${PLACED}
layout(location = 1) in vec3 aNormal;
layout(location = 2) in float aKind;
layout(location = 3) in float aHollow;
uniform mat4 uViewProjection;
out vec3 vPosition;
out vec3 vNormal;
out float vKind;
out float vHollow;

void main() {
  vPosition = (uWorld * vec4(aPosition, 1.0)).xyz;
  vNormal = mat3(uWorld) * aNormal;
  vKind = aKind;
  vHollow = aHollow;
  gl_Position = uViewProjection * vec4(vPosition, 1.0);
}`,
  fragment: `#version 300 es
precision highp float;
${SHADOW}
uniform vec3 uEye;
uniform vec3 uToLight;
uniform vec3 uSkin;
uniform vec3 uKey;
uniform vec3 uSky;
uniform vec3 uGround;
uniform vec3 uRim;
uniform float uOpacity;
in vec3 vPosition;
in vec3 vNormal;
in float vKind;
in float vHollow;
out vec4 colour;

vec3 filmic(vec3 x) {
  return clamp((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0);
}

void main() {
  vec3 n = normalize(vNormal);
  vec3 toEye = normalize(uEye - vPosition);
  float facing = dot(n, toEye);
  vec3 base = vKind < 0.5 ? uSkin : (vKind < 1.5 ? vec3(0.86) : vec3(0.05, 0.065, 0.1));
  float eye = step(0.5, vKind);
  float fold = mix(1.0 + 0.55 * min(vHollow, 0.0) + 0.10 * max(vHollow, 0.0), 1.0, eye);

  float open = lit(vPosition + n * 0.014, 0.0010);
  float wrapped = max((dot(n, uToLight) + 0.22) / 1.22, 0.0);
  vec3 key = uKey * wrapped * mix(0.12, 1.0, open);
  // Light that wraps round skin reddens at the edge of the shade.
  key *= mix(vec3(1.0), vec3(1.12, 0.97, 0.93), (1.0 - wrapped) * (1.0 - eye));
  float up = 0.5 + 0.5 * n.y;
  vec3 ambient = mix(uGround, uSky, up) * fold;
  float grazing = pow(1.0 - max(facing, 0.0), 3.0);
  vec3 rim = uRim * grazing * (0.35 + 0.65 * up);
  vec3 halfway = normalize(uToLight + toEye);
  float shine = mix(pow(max(dot(n, halfway), 0.0), 28.0) * 0.10, pow(max(dot(n, halfway), 0.0), 90.0) * 0.9, eye);

  vec3 light = base * (key * fold + ambient) + rim * 0.6 + uKey * shine * open;
  colour = vec4(pow(filmic(light), vec3(1.0 / 2.2)) * uOpacity, uOpacity);
}`,
};

export const depth = {
  vertex: `#version 300 es
precision highp float;
${PLACED}
uniform mat4 uLight;

void main() {
  gl_Position = uLight * uWorld * vec4(aPosition, 1.0);
}`,
  fragment: `#version 300 es
precision highp float;
void main() {}`,
};

export const floor = {
  vertex: `#version 300 es
precision highp float;
uniform mat4 uViewProjection;
uniform vec3 uCentre;
out vec3 vPosition;

void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
  vPosition = vec3(uCentre.x + corner.x * 14.0, 0.0, uCentre.z + corner.y * 14.0);
  gl_Position = uViewProjection * vec4(vPosition, 1.0);
}`,
  fragment: `#version 300 es
precision highp float;
${SHADOW}
uniform vec3 uCentre;
uniform vec3 uFloor;
uniform vec3 uLines;
uniform vec4 uFeet[16];
uniform int uFeetCount;
uniform float uShade;
in vec3 vPosition;
out vec4 colour;

float grid(float step, float width) {
  vec2 at = vPosition.xz / step;
  vec2 pixel = fwidth(at);
  vec2 near = abs(fract(at - 0.5) - 0.5) / max(pixel * width, 1e-6);
  float line = 1.0 - min(min(near.x, near.y), 1.0);
  return line * (1.0 - smoothstep(0.15, 0.6, max(pixel.x, pixel.y)));
}

void main() {
  float away = length(vPosition.xz - uCentre.xz);
  if (away > 11.0) discard;
  float fade = 1.0 - smoothstep(2.5, 11.0, away);
  float lines = max(grid(1.0, 1.4) * 0.85, grid(0.25, 1.0) * 0.22);
  vec3 shown = mix(uFloor, uLines, lines);
  float shade = (1.0 - lit(vPosition, 0.0004)) * uShade;
  for (int i = 0; i < uFeetCount; i++) {
    float apart = length(vPosition.xz - uFeet[i].xz);
    shade = max(shade, 0.75 * uShade * exp(-apart * apart * 55.0) * exp(-max(uFeet[i].y, 0.0) * 9.0));
  }
  colour = vec4(shown * (1.0 - shade), 1.0) * fade;
}`,
};

export const backdrop = {
  vertex: `#version 300 es
precision highp float;
out vec2 vPlace;

void main() {
  vPlace = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(vPlace * 2.0 - 1.0, 1.0, 1.0);
}`,
  fragment: `#version 300 es
precision highp float;
uniform vec3 uTop;
uniform vec3 uBottom;
in vec2 vPlace;
out vec4 colour;

void main() {
  float glow = exp(-3.2 * length((vPlace - vec2(0.5, 0.46)) * vec2(1.15, 1.0)));
  vec3 shown = mix(uBottom, uTop, smoothstep(0.0, 1.0, vPlace.y)) + 0.06 * glow;
  // A little noise, so that dark gradients show no bands.
  float noise = fract(sin(dot(gl_FragCoord.xy, vec2(12.9898, 78.233))) * 43758.5453);
  colour = vec4(shown + (noise - 0.5) / 255.0, 1.0);
}`,
};

export const lines = {
  vertex: `#version 300 es
precision highp float;
uniform mat4 uViewProjection;
layout(location = 0) in vec3 aPosition;

void main() {
  gl_Position = uViewProjection * vec4(aPosition, 1.0);
}`,
  fragment: `#version 300 es
precision highp float;
uniform vec4 uColour;
out vec4 colour;

void main() {
  colour = uColour;
}`,
};

export const picture = {
  vertex: `#version 300 es
precision highp float;
uniform vec4 uPlace;
out vec2 vAt;

void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  vAt = vec2(corner.x, 1.0 - corner.y);
  gl_Position = vec4(mix(uPlace.xy, uPlace.zw, corner), 1.0, 1.0);
}`,
  fragment: `#version 300 es
precision highp float;
uniform sampler2D uPicture;
in vec2 vAt;
out vec4 colour;

void main() {
  colour = vec4(texture(uPicture, vAt).rgb, 1.0);
}`,
};
