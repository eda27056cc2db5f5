"""Tells people what happened: the one file that knows Apprise."""

import logging
import warnings
from dataclasses import dataclass

import structlog

from retrain.messages import Message
from retrain.notify import Address, Notifications

log = structlog.get_logger("tonnage")


@dataclass(frozen=True)
class Notifier:
    """Sends messages by mail, chat or webhook, each to all addresses, on the occasions asked for.

    What cannot be sent is logged by the address's kind alone, and stops nothing: a month is not lost for a
    message.
    """

    wanted: Notifications

    def tell(self, message: Message) -> None:
        """Send a message, at most a few seconds for each address."""
        if message.occasion not in self.wanted.occasions:
            return
        for address in self.wanted.addresses:
            if not _sent(address, message):
                log.warning("not told", occasion=message.occasion, by=address.kind)


def _sent(address: Address, message: Message) -> bool:
    # It takes half a second to import, and most commands tell nobody.
    from apprise import Apprise, NotifyFormat  # noqa: PLC0415

    # Its own log lines name hosts and users.
    logging.getLogger("apprise").disabled = True
    service = Apprise()
    try:
        with warnings.catch_warnings():
            # Its plugins, which it loads now, ask for what Python 3.13 will not have any more.
            warnings.filterwarnings("ignore", message="'imghdr' is deprecated")
            added = service.add(address.url)
        return bool(added) and bool(
            service.notify(body=message.body, title=message.subject, body_format=NotifyFormat.TEXT)
        )
    except Exception:  # noqa: BLE001  # whatever a chat service breaks, the month goes on
        return False
