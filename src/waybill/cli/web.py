"""``waybill web``: the half that answers requests."""

from waybill.cli.serving import (
    Directory,
    Host,
    LifelineFd,
    ListenFd,
    Port,
    TlsCert,
    TlsKey,
    check_tls,
)


def web(  # noqa: PLR0913 - one parameter per option of the command line
    directory: Directory,
    *,
    host: Host = None,
    port: Port = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    listen_fd: ListenFd = None,
    lifeline_fd: LifelineFd = None,
) -> None:
    """Run only the half that answers requests."""
    check_tls(tls_cert, tls_key)
    from waybill.bootstrap.ending import end_process
    from waybill.bootstrap.web import run_web_process
    from waybill.model.administration import ServeOptions

    options = ServeOptions(host=host, port=port, tls_cert=tls_cert, tls_key=tls_key)
    run_web_process(directory, options, listen_fd=listen_fd, lifeline_fd=lifeline_fd)
    end_process()
