"""The doctor: tries for real whether everything that a corp's connection needs is there.

One list of checks serves the console's page and `manage.py doctor`. A check only reads: it sends nothing to anybody and
changes nothing at the platform. Its answer says what was tried, what was found, and on which page it is mended.
"""

from scrm.site.doctor import access, address, adoption, permissions, safety, service, staff
from scrm.site.doctor.registry import PARTS, Check, Result, checks
from scrm.site.doctor.run import Tried, examine

__all__ = ["PARTS", "Check", "Result", "Tried", "checks", "examine"]

# The order of the pages is that of the imports of these rooms; each registers its checks when it is loaded.
ROOMS = (access, address, staff, permissions, service, safety, adoption)
