"""Time by the clock, where operations run beside each other."""

import pytest

from benchmarks import timeline


def test_what_runs_beside_each_other_shares_the_time():
    events = [
        (0.0, 2.0, "convolution"),
        (1.0, 3.0, "loss"),
        (1.0, 1.0, "update"),
        (4.0, 5.0, "convolution"),
        (5.0, 6.0, "convolution"),
    ]
    seconds = timeline.shared(events)
    assert seconds["convolution"] == pytest.approx(1 + 0.5 + 2)
    assert seconds["loss"] == pytest.approx(0.5 + 1)
    assert seconds["update"] == 0
    assert seconds[timeline.BETWEEN] == pytest.approx(1)
    assert sum(seconds.values()) == pytest.approx(6)


def test_two_of_one_part_have_two_parts_of_the_time():
    events = [(0.0, 3.0, "a"), (0.0, 3.0, "a"), (0.0, 3.0, "b")]
    seconds = timeline.shared(events)
    assert seconds["a"] == pytest.approx(2)
    assert seconds["b"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("StatefulPartitionedCall/two_conv/conv_1/convolution:Conv2D",) * 2,
        ("adam/Mul_1:Mul", "adam/Mul_1:Mul"),
        ("CpuExecutable::ExecuteAsyncOnStream", None),
    ],
)
def test_operations_are_told_from_what_is_around_them(event, name):
    match = timeline.OPERATION.fullmatch(event)
    name = name and name.removeprefix("StatefulPartitionedCall/")
    assert match["name"] == name


NETWORK = "two_conv_1"
BACK = f"gradient_tape/{NETWORK}"


@pytest.mark.parametrize(
    ("name", "part"),
    [
        (timeline.PROGRAM, "views"),
        (
            f"{NETWORK}/conv_2_1/convolution:_MklNativeConv2D",
            "convolutions, forward",
        ),
        (
            f"{BACK}/conv_2_1/convolution/Conv2DBackpropFilter:"
            "_MklNativeConv2DBackpropFilter",
            "convolutions, backward",
        ),
        (
            f"{NETWORK}/normalization_1_1/FusedBatchNormV3:"
            "_MklNativeFusedBatchNormEx",
            "normalization and ReLU, forward",
        ),
        (
            f"{BACK}/relu_1_1/ReluGrad:ReluGrad",
            "normalization and ReLU, backward",
        ),
        (
            "gradient_tape/projector_1/projections_1/MatMul/MatMul:_MklMatMul",
            "mean, projector and loss, backward",
        ),
        (
            "ReduceLogSumExp/Exp:Exp",
            "mean, projector, loss and figures, forward",
        ),
        ("adam/Mul_1:Mul", "update"),
    ],
)
def test_operations_belong_to_a_part(name, part):
    assert timeline.part_of(name, "adam") == part
    assert part in timeline.PARTS


@pytest.mark.parametrize(
    "event",
    [
        "ExecutorState::Process",
        "EagerLocalExecute: __inference_multi_step_on_iterator_3",
        "KernelAndDeviceFunc::Run",
        "Iterator::Root::Prefetch",
    ],
)
def test_what_is_around_operations_is_none(event):
    assert timeline.OPERATION.fullmatch(event) is None
