"""What runs when, in a run on a processor, and what it takes by the clock."""

import collections
import pathlib
import re
import tempfile

PROGRAM = "compiled program"
BETWEEN = "between operations"
UPDATE = "update"
# An operation belongs to the first part whose pattern its name has. Views
# alone are compiled, where batch normalization is plain.
PATTERNS = {
    "views": PROGRAM,
    "convolutions, backward": "Conv2DBackprop",
    "convolutions, forward": "Conv2D",
    "normalization and ReLU, backward": "gradient_tape.*(normalization|relu)",
    "normalization and ReLU, forward": "normalization|relu",
    "mean, projector and loss, backward": "gradient_tape",
    "mean, projector, loss and figures, forward": "",
}
PARTS = (*PATTERNS, UPDATE, BETWEEN)
OPERATION = re.compile(
    r"(StatefulPartitionedCall/)?(?P<name>[^ ]*[^: ]:\w+)"
    "|CpuExecutable::ExecuteAsyncOnStream"
)


def recorded(run):
    """The operations of a run, by TensorFlow's profiler.

    Args:
        run: callable without arguments.

    Returns:
        List of (start, end, name), in seconds; `PROGRAM` is the name of what
        is compiled, of all else that of the graph's operation, and its type.
    """
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            run()
        (path,) = pathlib.Path(folder).rglob("*.xplane.pb")
        space.ParseFromString(path.read_bytes())
    found = []
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                match = OPERATION.fullmatch(name)
                if match is None or line.name.startswith("tf_data"):
                    continue
                start = line.timestamp_ns * 1e-9 + event.offset_ps * 1e-12
                end = start + event.duration_ps * 1e-12
                found.append((start, end, match["name"] or PROGRAM))
    return found


def part_of(name, optimizer):
    """The part of a training step that an operation belongs to.

    Args:
        name: str, as `recorded` has it.
        optimizer: str, the optimizer's name.

    Returns:
        One of `PARTS`.
    """
    if name.startswith(f"{optimizer}/"):
        return UPDATE
    return next(
        part for part, pattern in PATTERNS.items() if re.search(pattern, name)
    )


def shared(events):
    """Seconds by the clock of each part.

    Args:
        events: list of (start, end, part).

    Returns:
        Dict from parts, and `BETWEEN`, when none runs, to seconds. Their sum
        is the time from the first start to the last end.
    """
    changes = [
        change
        for start, end, part in events
        for change in ((start, 1, part), (end, -1, part))
    ]
    # Where one ends as another starts, both run for no time.
    changes.sort(key=lambda change: (change[0], -change[1]))
    seconds = collections.Counter()
    running = collections.Counter()
    for (time, change, part), (later, *_) in zip(changes, changes[1:]):
        running[part] += change
        if not running.total():
            seconds[BETWEEN] += later - time
            continue
        for each, count in running.items():
            seconds[each] += (later - time) * count / running.total()
    return seconds
