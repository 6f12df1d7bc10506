"""No deadline for a single example: the machine may be busy with something else."""

from hypothesis import settings

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
