"""Gender labels of people, out of labels of their pictures.

The paper labels VGGFace2's people by a network that looks at single pictures (DEX,
Rothe et al.) and a majority over each person's. Such labels come as a table of ours:

    picture,gender
    n000002/0001_01.jpg,female
    n000002/0002_01.jpg,0.08

A label is a word (`gender.gender_of` lists them) or DEX's number from 0, female, to 1,
male; empty, `nan` and words unknown to us abstain. The folder that a picture is in is
the person. A table may also have the columns `identity,gender`, a row a person.

VGGFace2's own list, `identity_meta.csv`, has a row a person: `n000002,
"A_Fine_Frenzy",315,1, f,` under a header that says Class_ID, Name, Sample_Num, Flag,
Gender. Some of its names hold commas.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from pixie_runtime.errors import SourceError
from pixie_train.gender import Gender, by_identity, gender_of

_META_ROW = re.compile(r"^\s*(n\d+)\s*,.*,\s*([A-Za-z])\s*,?\s*$")
_GENDER = "gender"
_PICTURE, _IDENTITY = "picture", "identity"


def read_gender_labels(path: Path, *, unsure: float = 0.0) -> dict[str, Gender]:
    """Return each person's label, by majority over pictures.

    Args:
        path: a table with the columns picture or identity, and gender.
        unsure: numbers nearer to a half than this abstain.

    Raises:
        SourceError: the file is missing or no such table.
    """
    return by_identity(_votes(path, unsure))


def read_identity_meta(path: Path) -> dict[str, Gender]:
    """Return each person's label out of VGGFace2's own list.

    Raises:
        SourceError: the file is missing or no such list.
    """
    rows = [_META_ROW.match(line) for line in _lines(path)]
    found = {row[1]: gender_of(row[2]) for row in rows if row}
    if not found:
        raise SourceError(
            f"{path} is not VGGFace2's list of people; expected rows as "
            'n000002, "A_Fine_Frenzy",315,1, f, as meta.tar.gz holds them'
        )
    return found


def _votes(path: Path, unsure: float) -> Iterator[tuple[str, Gender]]:
    table = csv.DictReader(_lines(path), skipinitialspace=True)
    names = table.fieldnames or []
    key = next((name for name in (_PICTURE, _IDENTITY) if name in names), None)
    if key is None or _GENDER not in names:
        raise SourceError(
            f"{path} has the columns {', '.join(names) or 'none'}; expected picture "
            "and gender, or identity and gender, named in its first line"
        )
    for row in table:
        named, label = (row[key] or "").strip(), row[_GENDER] or ""
        person = named if key == _IDENTITY else Path(named).parent.name
        if not person:
            raise SourceError(
                f'{path}: the picture "{named}" in line {table.line_num} is in no '
                "folder; expected person/picture"
            )
        yield person, _label(label, unsure)


def _label(text: str, unsure: float) -> Gender:
    try:
        male = float(text)
    except ValueError:
        return gender_of(text)
    if not 0 <= male <= 1 or abs(male - 0.5) <= unsure:
        return Gender.UNKNOWN
    return Gender.MALE if male > 0.5 else Gender.FEMALE


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"cannot read {path}: {error}") from error
