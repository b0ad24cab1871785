"""How views of images are drawn, and how they lie in one batch.

    image-major: row r is view r mod V of image r // V
    view-major:  all first views, then all second ones

In the first order, neighbours are views of one image; in the second, the same
view of several images.
"""

from keras import ops

from keras_contrastive import views as views_package
from keras_contrastive.models.backend_step import backend_step

VIEW_ORDERS = ("image_major", "view_major")


class StackedViews:
    """What a model does with the views of its batches; part of all models.

    It has `policies`, one for each of its `num_views` views, a `view_order`
    of `VIEW_ORDERS`, and a `seed`.
    """

    @property
    def row_lots(self):
        """How many lots of rows, each of all images, the encoder sees."""
        return self.num_views if self.view_order == "view_major" else 1

    def make_views(self, batch, step):
        """Random views `(N * V, h, w, C)` of a batch, at a step."""
        return self.draw_views([batch["images"]] * self.num_views, batch, step)

    def make_evaluation_views(self, batch):
        """The views of `evaluate`: those of step 0, the same every time."""
        return self.make_views(batch, 0)

    def draw_views(self, images, batch, step):
        """Draws a view of each of several lots of images, and stacks them.

        Args:
            images: list of tensors `(N, H, W, C)`, one for each view.
            batch: dict with `positions` and, if any, `policy_ids`.
            step: int32 scalar tensor, or int.

        Returns:
            float32 tensor `(N * V, h, w, C)`, ordered by `view_order`.
        """
        # Given triplets are three images, where there may be two policies:
        # what is over has the last one.
        drawn = [
            backend_step().draw_view(
                self.policies[min(view, self.num_views - 1)],
                self.seed,
                each,
                step,
                view,
                batch["positions"],
                batch.get("policy_ids"),
            )
            for view, each in enumerate(images)
        ]
        if self.view_order == "view_major":
            return ops.concatenate(drawn)
        stacked = ops.stack(drawn, axis=1)
        return ops.reshape(stacked, (-1, *stacked.shape[2:]))

    def each_view(self, stacked, count=None):
        """Rows of stacked views taken apart: a list, `(N, ...)` a view."""
        count = count or self.num_views
        if self.view_order == "view_major":
            return ops.split(stacked, count, axis=0)
        shape = (-1, count, *stacked.shape[1:])
        return ops.unstack(ops.reshape(stacked, shape), num=count, axis=1)

    def repeat_each_view(self, values, count=None):
        """What belongs to an image, for each of its stacked views."""
        count = count or self.num_views
        if self.view_order == "image_major":
            return ops.repeat(values, count, axis=0)
        return ops.tile(values, (count,))


def policies_of(views, num_views, least_views, most_views):
    """A policy for each view of an image.

    Args:
        views: a policy's name, a policy, or a tuple of them, one a view.
        num_views: int, how many views, where `views` is no tuple.
        least_views: int, how many views a method needs.
        most_views: int, how many it can compare, or None for any number.

    Returns:
        List of policies.

    Raises:
        ValueError: for fewer views or more, or an unknown name.
    """
    if not isinstance(views, (tuple, list)):
        views = [views] * num_views
    if len(views) < least_views:
        raise ValueError(
            f"`views` must be {least_views} or more, received {len(views)}; "
            "a contrastive loss compares views of the same image."
        )
    if most_views is not None and len(views) > most_views:
        raise ValueError(
            f"There must be at most {most_views} views, received {len(views)}; "
            "SupCon, TripletModel and CPC take any number."
        )
    return [
        views_package.policy(each) if isinstance(each, str) else each
        for each in views
    ]
