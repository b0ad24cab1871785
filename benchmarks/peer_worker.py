"""What the peer is asked to do; runs under the peer's Python, not ours.

    python -m benchmarks.peer_worker TASK OPTIONS

TASK is views, train_step or pretrain, OPTIONS a JSON object. It prints its
versions, then runs the task each time it reads a line, and prints the seconds
and the most bytes of memory held so far. On a GPU where there is one.

With ResNet-18 the step is that of lightly's CIFAR-10 benchmark: its network,
head, loss, optimizer and transforms, a pass for each view, and autocast as
its trainer has it. What differs helps it: images are decoded already, no
trainer and no log is around the loop, memory is pinned, workers live on, and
cuDNN may try its kernels.
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

import lightly
import torch
import torchvision
from lightly.loss import NTXentLoss
from lightly.models import ResNetGenerator
from lightly.models.modules import SimCLRProjectionHead
from lightly.transforms import SimCLRTransform
from PIL import Image

from benchmarks import measure

ON_GPU = torch.cuda.is_available()
DEVICE = "cuda" if ON_GPU else "cpu"


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


class Step:
    """Forward, NT-Xent, backward and an update, on two views.

    Args:
        encoder: str, as the flag says.
        precision: str, a Keras dtype policy.
        batch_size: int, of images.
        compiled: bool.
        channels_last: bool.
    """

    def __init__(self, encoder, precision, batch_size, compiled, channels_last):
        torch.backends.cudnn.benchmark = True
        self.mixed = precision == "mixed_bfloat16"
        self.format = (
            torch.channels_last if channels_last else torch.contiguous_format
        )
        self.one_pass = encoder == "two_conv"
        build = {"two_conv": two_conv, "resnet18": resnet18}[encoder]
        network, temperature, optimizer = build(batch_size)
        self.network = network.to(DEVICE, memory_format=self.format)
        self.loss = NTXentLoss(temperature=temperature)
        self.optimizer = optimizer(self.network.parameters())
        self.forward = torch.compile(self.value) if compiled else self.value

    def value(self, *views):
        with torch.autocast(DEVICE, torch.bfloat16, enabled=self.mixed):
            lots = [torch.cat(views)] if self.one_pass else views
            projections = torch.cat([self.network(lot) for lot in lots])
            return self.loss(*projections.chunk(2))

    def __call__(self, views):
        views = [
            each.to(DEVICE, memory_format=self.format, non_blocking=True)
            for each in views
        ]
        self.optimizer.zero_grad(set_to_none=True)
        self.forward(*views).backward()
        self.optimizer.step()


def two_conv(batch_size, channels=(64, 128), projection_dim=128):
    """Our default encoder, a linear head, a temperature and Adam."""
    del batch_size
    layers = []
    for before, after in zip((3, *channels), channels):
        layers += [
            torch.nn.Conv2d(before, after, 3, 2, padding=1, bias=False),
            torch.nn.BatchNorm2d(after),
            torch.nn.ReLU(inplace=True),
        ]
    network = torch.nn.Sequential(
        *layers,
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(channels[-1], projection_dim, bias=False),
    )
    return network, 0.2, lambda weights: torch.optim.Adam(weights, 2e-3)


def resnet18(batch_size):
    """The network, temperature and optimizer of lightly's benchmark."""
    *backbone, _ = ResNetGenerator("resnet-18").children()
    network = torch.nn.Sequential(
        *backbone,
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        SimCLRProjectionHead(512, 512, 128),
    )
    rate = 0.06 * batch_size / 128
    return (
        network,
        0.5,
        lambda weights: torch.optim.SGD(
            weights, rate, momentum=0.9, weight_decay=5e-4
        ),
    )


def loader(count, size, batch_size, workers):
    """Batches of two views each, as the peer's users make them."""
    return torch.utils.data.DataLoader(
        Images(count, size),
        batch_size=batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=ON_GPU,
    )


def views(count, size, batch_size, workers):
    """Two views of each of `count` images, by as many worker processes."""
    batches = loader(count, size, batch_size, workers)

    def task():
        for _ in batches:
            pass

    return task


def train_step(steps, size, **options):
    """Updates on views that are given."""
    step = Step(**options)
    shape = (options["batch_size"], 3, size, size)
    given = [torch.rand(shape, device=DEVICE) for _ in range(2)]
    given = [each.to(memory_format=step.format) for each in given]

    def task():
        for _ in range(steps):
            step(given)

    return task


def pretrain(count, size, workers, epochs, **options):
    """Epochs from decoded images to updates."""
    step = Step(compiled=False, **options)
    batches = loader(count, size, options["batch_size"], workers)

    def task():
        for _ in range(epochs):
            for pair in batches:
                step(pair)

    return task


def peak_memory():
    """The most bytes that this process ever held, of the GPU's if it has one.

    Without a GPU, what worker processes hold is not counted.
    """
    return (
        torch.cuda.max_memory_allocated() if ON_GPU else measure.peak_memory()
    )


def main(name, options):
    """Runs a task once for each line that comes in."""
    task = {"views": views, "train_step": train_step, "pretrain": pretrain}
    task = task[name](**json.loads(options))
    versions = {
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "lightly": lightly.__version__,
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if ON_GPU else "the processor",
    }
    print(json.dumps(versions), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        task()
        if ON_GPU:
            torch.cuda.synchronize()
        seconds = time.perf_counter() - start
        print(json.dumps([seconds, peak_memory()]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
