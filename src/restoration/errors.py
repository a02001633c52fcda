"""The one error that is shown to the user without a stack trace."""


class RestorationError(Exception):
    """Something the user can mend: the message names the place, what is wrong and what to do."""
