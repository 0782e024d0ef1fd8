from hypothesis import settings

settings.register_profile("shared-machine", deadline=None)  # other work on the machine must not fail a property
settings.load_profile("shared-machine")
