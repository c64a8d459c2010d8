"""``waybill serve``: web and workers in the foreground."""

from waybill.cli.serving import (
    Directory,
    Host,
    Port,
    TlsCert,
    TlsKey,
    WebWorkers,
    Workers,
    check_tls,
)


def serve(  # noqa: PLR0913 - one parameter per option of the command line
    directory: Directory,
    *,
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    web_workers: WebWorkers = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
) -> None:
    """Run the server in the foreground.

    All its state lies under DIR. SIGTERM or Ctrl-C stops it gracefully.
    """
    check_tls(tls_cert, tls_key)
    from waybill.bootstrap import supervisor
    from waybill.model.administration import ServeOptions

    supervisor.serve(
        directory,
        ServeOptions(
            host=host,
            port=port,
            workers=workers,
            web_workers=web_workers,
            tls_cert=tls_cert,
            tls_key=tls_key,
        ),
    )
