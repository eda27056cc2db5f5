"""The only access rule until callers can be told apart: this machine."""

from ipaddress import ip_address

from app.errors import UnsafeAddress


def check_loopback(host: str) -> None:
    """Refuse with `UnsafeAddress` any address that other machines could reach."""
    if host == "localhost":
        return
    try:
        address = ip_address(host)
    except ValueError:
        raise UnsafeAddress(host) from None
    if not address.is_loopback:
        raise UnsafeAddress(host)
