# ruff: noqa: T201 (printing is what it does)
"""Read a take without pixie-live: an .npz with numpy alone, a recording with mcap.

Make both with `pixie-live --demo --record take.npz`; what is in them is listed in
`docs/takes.md`.

    python examples/03_read_take.py take.npz
    python examples/03_read_take.py take.mcap     # pip install mcap
"""

import re
import sys

import numpy as np


def read_npz(path: str) -> None:
    """Print the take's length, the way its pelvis went and how sure it is."""
    with np.load(path, allow_pickle=False) as take:
        times, joints = take["timestamps_s"], take["joints"]
        seconds = times[-1] - times[0]
        print(f"{len(times)} frames in {seconds:.2f} s, {take['fps']:.2f} fps")
        print(f"poses {take['poses'].shape}, betas {take['betas'].shape}")
        pelvis = joints[:, 0]
        way = np.linalg.norm(np.diff(pelvis, axis=0), axis=1).sum()
        print(f"the pelvis travelled {way:.2f} m, {pelvis[:, 2].mean():.2f} m away")
        for name, confidence in zip(
            take["confidence_names"], take["confidences"].mean(0), strict=True
        ):
            print(f"{name}: confidence {confidence:.2f}")


def read_recording(path: str) -> None:
    """Print each person's way, and what the recording says of itself."""
    try:
        from mcap.reader import make_reader
    except ImportError:
        sys.exit("recordings need mcap, which is not installed: pip install mcap")
    with open(path, "rb") as file:
        reader = make_reader(file)
        for metadata in reader.iter_metadata():
            if metadata.name == "pixie.recording":
                about = metadata.metadata
                print(f"{about['created']}, body model {about['body_model']}")
        people: dict[str, list[np.void]] = {}
        for schema, channel, message in reader.iter_messages():
            if schema is not None and schema.name == "pixie/Person":
                dtype = dtype_of(schema.data.decode())
                person = np.frombuffer(message.data, dtype)[0]
                people.setdefault(channel.topic, []).append(person)
    for topic, frames in people.items():
        pelvis = np.array([frame["joints"][:3] for frame in frames])
        way = np.linalg.norm(np.diff(pelvis, axis=0), axis=1).sum()
        seconds = frames[-1]["t_source_s"] - frames[0]["t_source_s"]
        print(f"{topic}: {len(frames)} frames in {seconds:.2f} s, {way:.2f} m")


def dtype_of(definition: str) -> np.dtype[np.void]:
    """Turn a schema, lines such as `float32[3] transl  # metres`, into a dtype."""
    fields = re.findall(r"^(\w+)(?:\[(\d+)\])? (\w+)", definition, re.MULTILINE)
    return np.dtype(
        [(name, kind, (int(count),) if count else ()) for kind, count, name in fields]
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("name one take: python examples/03_read_take.py take.npz")
    read = read_npz if sys.argv[1].endswith(".npz") else read_recording
    try:
        read(sys.argv[1])
    except OSError as error:
        sys.exit(f"cannot read {sys.argv[1]}: {error.strerror}")
