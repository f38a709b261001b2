"""The script of docs/receivers/touchdesigner.md, fed with what we send.

TouchDesigner is not here: a stand-in has the three methods of a table that it uses.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from pythonosc.osc_bundle import OscBundle

from pixie_runtime.sinks.osc_messages import alive_datagram, person_datagrams
from pixie_runtime.smplx import JOINT_NAMES
from tests.runtime.people import make_person, make_tick

GUIDE = Path(__file__).parents[2] / "docs" / "receivers" / "touchdesigner.md"


class Table:
    """Rows by their first cell, as in a Table DAT."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Any]] = {}

    def row(self, name: str) -> list[Any] | None:
        return self.rows.get(name)

    def appendRow(self, cells: list[Any]) -> None:  # noqa: N802 (its name there)
        assert cells[0] not in self.rows
        self.rows[cells[0]] = cells

    def replaceRow(self, name: str, cells: list[Any]) -> None:  # noqa: N802
        assert name in self.rows
        self.rows[name] = cells


def test_callback_fills_the_table_with_everybody_s_newest_joints() -> None:
    (script,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    table = Table()
    names: dict[str, Any] = {"op": {"joints": table}.__getitem__}
    exec(script, names)
    people = [make_person(seed, track_id=seed % 2) for seed in range(4)]
    for person in people:
        datagrams = [alive_datagram(make_tick(person)), *person_datagrams(person, 1400)]
        for datagram in datagrams:
            for message in OscBundle(datagram):
                names["onReceiveOSC"](
                    None, 0, "", b"", 0.0, message.address, list(message), None
                )
    assert len(table.rows) == 2 * 54
    for person in people[2:]:
        for joint, name in enumerate(JOINT_NAMES[1:], start=1):
            row = table.rows[f"{person.track_id} {name}"]
            np.testing.assert_array_equal(row[1:], person.params.rotations[joint])
