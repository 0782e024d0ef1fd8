import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.store_contract", "tests.fakes")
# other work on the machine must not fail a property
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")
