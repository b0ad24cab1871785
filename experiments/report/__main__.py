"""The script: `python -m experiments.report --output_dir=runs/demo`."""

from absl import flags

from experiments import command_line
from experiments import report

flags.DEFINE_string(
    "output_dir", "runs/three_settings", "Folder that holds the runs."
)


def main():
    """Draws the report that the flags name, and says where it lies."""
    with command_line.refusals():
        print(report.write(flags.FLAGS.output_dir).resolve())


if __name__ == "__main__":
    command_line.run(main, report.__doc__)
