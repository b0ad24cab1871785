"""What the peer is asked to do; runs under the peer's Python, not ours.

    python peer_worker.py TASK OPTIONS

TASK is views, train_step or pretrain, OPTIONS a JSON object. It prints its
versions, then runs the task and prints the seconds each time it reads a line.
"""

import contextlib
import importlib
import json
import sys
import time

import numpy as np

# A build of torchvision for GPUs imports on a CPU build of torch once its
# operators are declared; environments that need this bring the module.
with contextlib.suppress(ImportError):
    importlib.import_module("cpu_torchvision")

import torch
import torchvision
from lightly.loss import NTXentLoss
from lightly.transforms import SimCLRTransform
from PIL import Image


class Images(torch.utils.data.Dataset):
    """Decoded images in memory; an item is two views, as tensors."""

    def __init__(self, count, size):
        generator = np.random.default_rng(0)
        pixels = generator.integers(0, 256, (count, size, size, 3), "uint8")
        self.images = [Image.fromarray(each) for each in pixels]
        self.transform = SimCLRTransform(
            input_size=size, cj_strength=0.5, gaussian_blur=0.0
        )

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.transform(self.images[index])


class Network(torch.nn.Module):
    """The two convolutions of our default encoder, and a linear head."""

    def __init__(self, channels=(64, 128), projection_dim=128):
        super().__init__()
        blocks = []
        for before, after in zip((3, *channels), channels):
            blocks += [
                torch.nn.Conv2d(before, after, 3, 2, padding=1, bias=False),
                torch.nn.BatchNorm2d(after),
                torch.nn.ReLU(inplace=True),
            ]
        self.encoder = torch.nn.Sequential(*blocks)
        self.head = torch.nn.Linear(channels[-1], projection_dim, bias=False)

    def forward(self, images):
        return self.head(self.encoder(images).mean(dim=(2, 3)))


class Step:
    """Forward, NT-Xent, backward and Adam, on two views in one pass."""

    def __init__(self, compiled=False, channels_last=False):
        self.format = (
            torch.channels_last if channels_last else torch.contiguous_format
        )
        self.network = Network().to(memory_format=self.format)
        self.loss = NTXentLoss(temperature=0.2)
        self.optimizer = torch.optim.Adam(self.network.parameters(), 2e-3)
        self.forward = self.value
        if compiled:
            self.forward = torch.compile(self.value)

    def value(self, views):
        first, second = self.network(views).chunk(2)
        return self.loss(first, second)

    def __call__(self, views):
        self.optimizer.zero_grad(set_to_none=True)
        self.forward(views).backward()
        self.optimizer.step()


def loader(count, size, batch_size, workers):
    """Batches of two views each, as the peer's users make them."""
    return torch.utils.data.DataLoader(
        Images(count, size),
        batch_size=batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )


def views(count, size, batch_size, workers):
    """Two views of each of `count` images, by as many worker processes."""
    batches = loader(count, size, batch_size, workers)

    def task():
        for _ in batches:
            pass

    return task


def train_step(batch_size, size, steps, compiled, channels_last):
    """Updates on views that are given."""
    step = Step(compiled, channels_last)
    given = torch.rand(2 * batch_size, 3, size, size)
    given = given.to(memory_format=step.format)

    def task():
        for _ in range(steps):
            step(given)

    return task


def pretrain(count, size, batch_size, workers):
    """An epoch from decoded images to updates."""
    step = Step()
    batches = loader(count, size, batch_size, workers)

    def task():
        for pair in batches:
            step(torch.cat(list(pair)))

    return task


def main(name, options):
    """Runs a task once for each line that comes in."""
    task = {"views": views, "train_step": train_step, "pretrain": pretrain}
    task = task[name](**json.loads(options))
    import lightly

    versions = {
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "lightly": lightly.__version__,
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(versions), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        task()
        print(json.dumps(time.perf_counter() - start), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
