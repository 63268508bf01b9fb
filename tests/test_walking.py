"""The suite itself walks."""

import pytest

from campaigns.models import WelcomeRule


@pytest.mark.django_db
def test_every_installation_has_one_active_default_rule() -> None:
    assert WelcomeRule.objects.filter(active=True, channel=None, staff=None).count() == 1
