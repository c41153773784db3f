"""The one kind of error that is meant for the person who typed something."""


class InputError(ValueError):
    """Says in one Danish sentence what is wrong with what a person typed; the text can be shown as it is."""
