"""``waybill worker``: the half that runs jobs."""

from waybill.cli.serving import Directory, LifelineFd, ServingSince


def worker(
    directory: Directory, *, lifeline_fd: LifelineFd = None, serving_since: ServingSince = None
) -> None:
    """Run only the half that runs jobs."""
    from waybill.bootstrap.ending import end_process
    from waybill.bootstrap.worker import run_worker_process

    run_worker_process(directory, lifeline_fd=lifeline_fd, serving_since=serving_since)
    end_process()
