"""Proof files of domains: kept by an administrator, or given by the setting DOMAIN_PROOFS."""

import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from scrm.base.models import User
from scrm.site.models import DomainProof

NAME = re.compile(r"(?:WW|MP)_verify_[A-Za-z0-9]{1,64}\.txt")
CONTENT = re.compile(r"[A-Za-z0-9_.=-]{1,200}")


def all_of_them() -> dict[str, str]:
    """File name → content; a kept one wins over the setting's."""
    given = (proof.partition("=") for proof in settings.DOMAIN_PROOFS)
    kept = DomainProof.objects.values_list("name", "content")
    return {name: content for name, _equals, content in given} | dict(kept)


def content_of(name: str) -> str | None:
    """What is served under `/<name>`; None where we have no such file."""
    kept = DomainProof.objects.filter(name=name).values_list("content", flat=True).first()
    return kept if kept is not None else all_of_them().get(name)


def keep(name: str, content: str, *, user: User) -> DomainProof:
    """Keeps a file as WeCom offers it for download. Raises ValidationError for a name or content that is none."""
    name, content = name.strip(), content.strip()
    if not NAME.fullmatch(name):
        raise ValidationError(_("The file's name is WW_verify_….txt, as WeCom gives it."))
    if not CONTENT.fullmatch(content):
        raise ValidationError(_("The file holds one line of letters and digits, as WeCom gives it."))
    proof, _made = DomainProof.objects.update_or_create(name=name, defaults={"content": content, "kept_by": user})
    return proof
