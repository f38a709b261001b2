// Colours of the room for dark and for light; the panels' are in style.css.

// From sRGB "#rrggbb" to the linear numbers that light is computed with.
function linear(hex) {
  return srgb(hex).map((value) => value ** 2.2);
}

function srgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
}

// Of figures, not of skin: a mannequin is nobody in particular.
const PEOPLE = ["#7f9bd0", "#dc7f5f", "#5fb58f", "#d6a945", "#a97fca", "#cf6c8c"].map(linear);

const LOOKS = {
  dark: {
    top: srgb("#1b2230"),
    bottom: srgb("#0b0e14"),
    floor: srgb("#12161f"),
    lines: srgb("#3a4660"),
    accent: srgb("#7aa2ff"),
    shade: 0.62,
    key: [1.32, 1.26, 1.18],
    sky: [0.26, 0.31, 0.4],
    ground: [0.11, 0.1, 0.1],
    rim: [0.34, 0.46, 0.72],
    people: PEOPLE,
  },
  light: {
    top: srgb("#e9edf3"),
    bottom: srgb("#c9d1dc"),
    floor: srgb("#d5dbe4"),
    lines: srgb("#a3afc0"),
    accent: srgb("#2f63d8"),
    shade: 0.4,
    key: [1.22, 1.17, 1.1],
    sky: [0.42, 0.45, 0.5],
    ground: [0.27, 0.25, 0.24],
    rim: [0.24, 0.27, 0.32],
    people: PEOPLE,
  },
};

const STORED = "pixie-theme";
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

export class Themes {
  constructor(changed) {
    this.changed = changed;
    this.chosen = localStorage.getItem(STORED);
    prefersDark.addEventListener("change", () => this.apply());
    this.apply();
  }

  get name() {
    return this.chosen ?? (prefersDark.matches ? "dark" : "light");
  }

  get look() {
    return LOOKS[this.name];
  }

  // A CSS variable's colour.
  colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  toggle() {
    this.chosen = this.name === "dark" ? "light" : "dark";
    localStorage.setItem(STORED, this.chosen);
    this.apply();
  }

  apply() {
    document.documentElement.dataset.theme = this.name;
    this.changed();
  }
}
