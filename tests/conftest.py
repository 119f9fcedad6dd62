"""What all tests share."""

from hypothesis import settings

# How long an example takes says nothing on a machine that does other things as well.
settings.register_profile("adlake", deadline=None)
settings.load_profile("adlake")
