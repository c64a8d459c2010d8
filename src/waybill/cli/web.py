"""``waybill web``: the half that answers requests."""

from waybill.cli.serving import Directory, Host, Port, TlsCert, TlsKey, check_tls


def web(
    directory: Directory,
    *,
    host: Host = None,
    port: Port = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
) -> None:
    """Run only the half that answers requests."""
    check_tls(tls_cert, tls_key)
    from waybill.bootstrap import run_web_process
    from waybill.model.administration import ServeOptions

    run_web_process(
        directory, ServeOptions(host=host, port=port, tls_cert=tls_cert, tls_key=tls_key)
    )
