"""What every store of jobs must do, as tests to inherit.

A subclass gives a fixture ``store``: a fresh, empty store. Its class name begins with ``Test``.
"""

from __future__ import annotations

from waybill.testing.job_store_duties import DutyContract
from waybill.testing.job_store_jobs import JobContract
from waybill.testing.job_store_keys import KeyContract
from waybill.testing.job_store_runs import RunContract


class JobStoreContract(JobContract, KeyContract, RunContract, DutyContract):
    """The promises of ``JobStore``, ``RunStore`` and ``DutyStore``."""
