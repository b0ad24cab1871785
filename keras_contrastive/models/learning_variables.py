"""Which of a model's variables learn, where not all do."""


class LearningVariables:
    """What a method has of whose variables some are at rest; a mixin.

    Variables stay at rest whatever `trainable` is set to, of the model or of
    its layers, and layers need not be frozen, which would change how they
    normalize.
    """

    def learning(self, variables):
        """Chooses those that learn; to be overridden.

        Args:
            variables: list of variables that are trainable.

        Returns:
            List of variables.
        """
        raise NotImplementedError

    @property
    def trainable_variables(self):
        return self.learning(super().trainable_variables)

    @property
    def trainable_weights(self):
        return self.learning(super().trainable_weights)

    @property
    def non_trainable_variables(self):
        return without(self.variables, self.trainable_variables)

    @property
    def non_trainable_weights(self):
        return without(self.weights, self.trainable_weights)


def without(variables, others):
    """The variables that are not among others, by identity.

    Args:
        variables: list of variables.
        others: list of variables.

    Returns:
        List of variables.
    """
    others = {id(each) for each in others}
    return [each for each in variables if id(each) not in others]
