"""Where a study's figures come from: command, images, versions, machine."""

from experiments.report.figures import NOT_MEASURED
from experiments.report.figures import duration
from experiments.report.figures import mean
from experiments.report.figures import number
from experiments.report.runs import part

MANY_CLASSES = 20


def commands(study):
    """The command lines that made the runs, each once.

    Args:
        study: `runs.Study`.
    """
    return _unique(run.record.get("command") for run in study.runs)


def facts(study):
    """Terms and what is known of them, to stand under the report.

    Args:
        study: `runs.Study`.

    Returns:
        List of (term, text); several texts of one term are joined by "; ".
    """
    found = [
        ("Images", _unique(_images(run) for run in study.runs)),
        ("Classes", _unique(_classes(run) for run in study.runs)),
        (
            "Index hash",
            _unique(
                part(run.record, "dataset").get("index_hash")
                for run in study.runs
            ),
        ),
        ("Commit", _unique(run.record.get("commit") for run in study.runs)),
        ("Machine", _unique(_machine(run) for run in study.runs)),
        ("Replicas", _unique(_replicas(run) for run in study.runs)),
        ("Versions", _unique(_versions(run) for run in study.runs)),
        ("Backend", _unique(run.record.get("backend") for run in study.runs)),
        ("Runs", _times(study)),
        ("Time", _seconds(study)),
        ("Peak memory", _peak_memory(study)),
        ("Images a second", _speed(study)),
        ("Flags", _flags(study)),
        ("Flags that differ between runs", _differing_flags(study)),
    ]
    return [(term, "; ".join(texts)) for term, texts in found if texts]


def headline(study):
    """A few words on the extent of the study, to stand under its title.

    Args:
        study: `runs.Study`.

    Returns:
        List of str.
    """
    words = []
    dataset = study.dataset
    if dataset.get("name"):
        words.append(str(dataset["name"]))
    if isinstance(dataset.get("train"), int):
        words.append(f"{dataset['train']:,} training images")
    planned = _unique(run.planned_epochs for run in study.runs)
    if len(planned) == 1:
        words.append(f"{planned[0]} epochs")
    words.append(_count(len(study.settings), "setting"))
    words.append(_count(len({run.seed for run in study.runs}), "seed"))
    days = sorted(_day(run.record.get("finished")) for run in study.runs)
    if days and days[-1]:
        words.append(days[-1])
    return words


def _count(count, noun):
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _day(moment):
    return str(moment or "")[:10]


def _unique(texts):
    return list(dict.fromkeys(str(text) for text in texts if text))


def _images(run):
    dataset = part(run.record, "dataset")
    if not dataset:
        return None
    counts = [
        f"{_number_of(dataset.get(key))} {words}"
        for key, words in (
            ("train", "to train on"),
            ("validation", "for validation"),
            ("test", "to test"),
        )
    ]
    return f"{dataset.get('name')}: {', '.join(counts)}"


def _number_of(count):
    return f"{count:,}" if isinstance(count, int) else NOT_MEASURED


def _classes(run):
    dataset = part(run.record, "dataset")
    if not dataset:
        return None
    names = dataset.get("class_names") or []
    count = dataset.get("num_classes") or len(names)
    if not count:
        return "none: the images have no labels"
    shown = ", ".join(str(name) for name in names[:MANY_CLASSES])
    more = ", …" if len(names) > MANY_CLASSES else ""
    return f"{count}: {shown}{more}" if shown else str(count)


def _machine(run):
    machine = part(run.record, "machine")
    if not machine:
        return None
    words = [
        *machine.get("gpus", ()),
        machine.get("processor"),
        machine.get("cores") and f"{machine['cores']} cores",
        machine.get("memory_gib") and f"{machine['memory_gib']} GiB memory",
        machine.get("system"),
    ]
    return ", ".join(str(word) for word in words if word)


def _replicas(run):
    """On how many devices a run was trained, unless on one."""
    count = run.record.get("replicas", 1)
    if count == 1:
        return None
    workers = run.record.get("workers", 1)
    where = f" on {workers} workers" if workers > 1 else ""
    return f"{count}{where}, by {run.record.get('strategy')}"


def _versions(run):
    versions = part(run.record, "versions")
    return ", ".join(f"{name} {versions[name]}" for name in versions)


def _times(study):
    started = sorted(_unique(run.record.get("started") for run in study.runs))
    ended = sorted(_unique(run.record.get("finished") for run in study.runs))
    if not started:
        return []
    end = f", last finished {ended[-1]}" if ended else ""
    return [f"first started {started[0]}{end}"]


def _seconds(study):
    kinds = {
        "training": "training",
        "evaluation": "evaluation",
        "processors": "of processors in both",
    }
    texts = []
    for name, words in kinds.items():
        values = [
            value
            for value in (
                part(run.record, "seconds").get(name) for run in study.runs
            )
            if isinstance(value, (int, float))
        ]
        if values:
            runs = _count(len(values), "run")
            texts.append(f"{duration(sum(values))} {words}, {runs}")
    controls = study.controls_cost.get("seconds")
    if isinstance(controls, (int, float)):
        texts.append(f"{duration(controls)} controls")
    return texts


def _peak_memory(study):
    records = [*(run.record for run in study.runs), study.controls_cost]
    peaks = [record.get("peak_memory_gib") for record in records]
    peaks = [peak for peak in peaks if isinstance(peak, (int, float))]
    return [f"{number(max(peaks), 1)} GiB"] if peaks else []


def _speed(study):
    speeds = {}
    for run in study.runs:
        speed = run.record.get("images_per_second")
        if isinstance(speed, (int, float)):
            speeds.setdefault(run.setting, []).append(speed)
    return [
        f"{setting} {number(mean(values), 0)}"
        for setting, values in speeds.items()
    ]


def _flags(study):
    """The flags that all runs share, as they would be written."""
    all_flags = [part(run.record, "flags") for run in study.runs]
    all_flags = [flags for flags in all_flags if flags]
    if not all_flags:
        return []
    shared = [
        f"--{name}={value}"
        for name, value in all_flags[0].items()
        if all(flags.get(name) == value for flags in all_flags)
    ]
    return [" ".join(shared)] if shared else []


def _differing_flags(study):
    """Flags that not all runs share, beside the run they belong to."""
    all_flags = {run.name: part(run.record, "flags") for run in study.runs}
    all_flags = {name: flags for name, flags in all_flags.items() if flags}
    names = dict.fromkeys(key for flags in all_flags.values() for key in flags)
    texts = []
    for key in names:
        values = {str(flags.get(key)) for flags in all_flags.values()}
        if len(values) > 1:
            each = ", ".join(
                f"{name} {flags.get(key)}" for name, flags in all_flags.items()
            )
            texts.append(f"--{key}: {each}")
    return texts
