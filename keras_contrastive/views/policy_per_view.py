"""A policy of its own for each of an image's views.

Reference: Grill et al. 2020, Bootstrap your own latent, appendix B,
https://arxiv.org/abs/2006.07733
"""

import keras

from keras_contrastive.views.configurable import Configurable


@keras.saving.register_keras_serializable(package="keras_contrastive")
class PolicyPerView(Configurable):
    """A policy of its own for each view, as in BYOL.

    Args:
        policies: sequence of `Policy` or `PolicySet`, one for each view.

    Raises:
        ValueError: there are no policies.

    Example:

    ```python
    from keras_contrastive import views

    policy = views.PolicyPerView([views.policy("weak"), views.policy("simclr")])
    ```
    """

    def __init__(self, policies):
        self.policies = tuple(policies)
        if not self.policies:
            raise ValueError(
                "`policies` must hold one policy for each view, received none."
            )

    def __call__(
        self, images, *, seed, step, view, positions=None, policy_ids=None
    ):
        """Makes one random view of each image, by the policy of the view.

        Args:
            images: uint8, or float in [0, 1], `(batch, height, width,
                channels)`. Values are checked in NumPy arrays only.
            seed: int.
            step: int or int32 scalar tensor, the training step.
            view: int, which of an image's views this is, and so which policy
                makes it.
            positions: int32 `(batch,)`, where the rows stand in the global
                batch; by default 0..batch - 1.
            policy_ids: int32 `(batch,)`, for a `PolicySet`.

        Returns:
            float32 `(batch, *size, channels)` in [0, 1].

        Raises:
            ValueError: there is no policy for that view, or the policy
                refuses its arguments.
        """
        if not 0 <= view < len(self.policies):
            raise ValueError(
                f"`view` must be from 0 to {len(self.policies) - 1}, one of "
                f"{len(self.policies)} policies, received {view}."
            )
        return self.policies[view](
            images,
            seed=seed,
            step=step,
            view=view,
            positions=positions,
            policy_ids=policy_ids,
        )
