"""Tables of the face."""

from scrm.site.models.finding import Finding
from scrm.site.models.proof import DomainProof

__all__ = ["DomainProof", "Finding"]
