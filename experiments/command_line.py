"""How every script reads its command line, refuses it, and ends.

Flags are read and checked before anything heavy is imported, so that help
and refusals come at once. A user's slip is answered in one sentence and with
exit code 2, never with a traceback.
"""

import contextlib
import logging as python_logging
import os
import sys
import textwrap

from absl import app
from absl import flags
from absl import logging

from experiments import interrupts

REFUSED = 2
DIVERGED = 4


def run(main, documentation, check=None):
    """Runs a script's `main` once its flags are read and found sound.

    Args:
        main: function of no arguments, called with `flags.FLAGS` parsed.
        documentation: str, what `--help` says above the flags; usually the
            script's `__doc__`.
        check: function of `flags.FLAGS` that raises ValueError where flags
            do not go together.
    """

    def parse(argv):
        if any(each in ("-h", "-help", "--help") for each in argv[1:]):
            print(_help(documentation))
            sys.exit(0)
        with refusals((flags.Error, ValueError)):
            rest = flags.FLAGS(argv)
            if len(rest) > 1:
                raise ValueError(
                    f"Only flags are expected, received {rest[1]!r}; write "
                    "--name=value."
                )
            if check is not None:
                check(flags.FLAGS)
        return rest

    plain = python_logging.Formatter("    %(message)s")
    logging.get_absl_handler().setFormatter(plain)
    app.run(lambda _: _interruptible(main), flags_parser=parse)


@contextlib.contextmanager
def refusals(errors=ValueError):
    """Answers errors that a user can mend by a sentence and exit code 2.

    Args:
        errors: an exception class, or a tuple of them.
    """
    try:
        yield
    except errors as error:
        print(f"Refused: {error}", file=sys.stderr)
        sys.exit(REFUSED)


@contextlib.contextmanager
def silenced_libraries():
    """Keeps what C++ libraries say while they load off the screen.

    TensorFlow greets with lines that TF_CPP_MIN_LOG_LEVEL does not reach,
    since its logging is not set up yet. Exceptions are raised as ever.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _interruptible(main):
    with interrupts.INTERRUPTS.remembered():
        try:
            main()
        except (KeyboardInterrupt, Exception) as error:
            if not interrupts.means_an_interrupt(error):
                raise
            print("\nInterrupted.", file=sys.stderr)
            sys.exit(interrupts.INTERRUPTED)


def _help(documentation):
    """The documentation, then every flag of this project with its default."""
    lines = [documentation.strip(), "", "Flags:"]
    for module, its_flags in sorted(flags.FLAGS.flags_by_module_dict().items()):
        if not module.startswith("experiments") and module != sys.argv[0]:
            continue
        for flag in its_flags:
            default = flag.default_as_str
            shown = f" (default: {default})" if default else ""
            lines.append(f"  --{flag.name}{shown}")
            lines.append(textwrap.indent(textwrap.fill(flag.help, 72), " " * 6))
    lines.append("  --flagfile")
    lines.append(
        "      A file of flags, one a line, such as those of recipes/."
    )
    return "\n".join(lines)
