"""Two workers take the chief's word; run by `experiments.launch`."""

import keras
import numpy as np

from keras_contrastive import distribution
from keras_contrastive.distribution import workers

strategy = distribution.strategy("multi_worker")
index = workers.index(strategy)
assert workers.count(strategy) == 2
assert workers.is_chief(strategy) == (index == 0)

# Each says something else; what is not a number elsewhere does no harm.
mine = np.array([0.1, -3.5, np.inf]) if index == 0 else np.full(3, np.nan)
assert workers.agree(strategy, mine).tolist() == [0.1, -3.5, np.inf]
assert workers.agree(strategy, np.int64(5 + index)) == 5

with strategy.scope():
    variables = [
        keras.Variable(np.full((2, 3), 1.5 + index)),
        keras.Variable(7 + index, dtype="int32"),
        keras.Variable(np.full(4, 0.1 + index)),
    ]
workers.follow_chief(strategy, variables)
assert variables[0].numpy().tolist() == [[1.5] * 3] * 2
assert variables[1].numpy() == 7
assert variables[2].numpy().tolist() == [np.float32(0.1)] * 4
print("agreed")
