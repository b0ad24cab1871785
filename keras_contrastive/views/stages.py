"""Several policies as one sequence of stages.

A stage is one kind of transformation, with each parameter an array over the
policies. The stages are a common supersequence of the policies' kinds, so
that each policy keeps its own order; a policy without a stage's kind has
neutral parameters there, and kinds that no policy uses are left out.
"""

import dataclasses

import numpy as np

from keras_contrastive.views.resized_crop import ResizedCrop


@dataclasses.dataclass(frozen=True)
class Stage:
    """One kind of transformation in a sequence of them.

    Args:
        kind: subclass of `Transformation`.
        parameters: dict from names to float32 arrays `(num_policies,)`.
        idle: bool, whether no image is ever changed.
    """

    kind: type
    parameters: dict
    idle: bool


def combine(policies):
    """Lays several sequences of transformations over each other.

    Args:
        policies: sequence of sequences of `Transformation`, each with no kind
            twice.

    Returns:
        Tuple of `Stage`; the first is the resized crop, idle where no policy
        crops.
    """
    policies = [[t for t in policy if not t.idle] for policy in policies]
    kinds = [ResizedCrop]
    for policy in policies:
        kinds = _supersequence(kinds, [type(t) for t in policy])
    columns = [_spread(policy, kinds) for policy in policies]
    return tuple(_stage(*row) for row in zip(*columns))


def _stage(*transformations):
    """One stage from each policy's transformation of the same kind."""
    parameters = [t.parameters() for t in transformations]
    return Stage(
        kind=type(transformations[0]),
        parameters={
            name: np.array([p[name] for p in parameters], "float32")
            for name in parameters[0]
        },
        idle=all(t.idle for t in transformations),
    )


def _spread(policy, kinds):
    """A policy's transformations, and neutral ones where it has none."""
    waiting = list(policy)
    return [
        waiting.pop(0)
        if waiting and type(waiting[0]) is kind
        else kind.neutral()
        for kind in kinds
    ]


def _supersequence(first, second):
    """The shortest sequence that holds both in their own order."""
    if not first or not second:
        return first + second
    if first[0] is second[0]:
        return first[:1] + _supersequence(first[1:], second[1:])
    return min(
        first[:1] + _supersequence(first[1:], second),
        second[:1] + _supersequence(first, second[1:]),
        key=len,
    )
