"""``waybill worker``: the half that runs jobs."""

from waybill.cli.serving import Directory


def worker(directory: Directory) -> None:
    """Run only the half that runs jobs."""
    from waybill.bootstrap import run_worker_process
    from waybill.model.administration import ServeOptions

    run_worker_process(directory, ServeOptions())
