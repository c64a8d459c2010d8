"""``waybill worker``: the half that runs jobs."""

from waybill.cli.serving import Directory, LifelineFd


def worker(directory: Directory, *, lifeline_fd: LifelineFd = None) -> None:
    """Run only the half that runs jobs."""
    from waybill.bootstrap.worker import run_worker_process

    run_worker_process(directory, lifeline_fd=lifeline_fd)
