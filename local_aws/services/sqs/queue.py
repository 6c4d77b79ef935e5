"""moto's queue with its messages on disk, and one thread in it at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import moto.sqs.urls
from moto.sqs.models import Queue, SQSBackend

from local_aws.services.sqs import journal

if TYPE_CHECKING:
    from threading import Condition

    from moto.sqs.models import Message


class LocalQueue(Queue):
    """A queue; moto's loses a message that is sent while another is being deleted."""

    def add_message(self, message: Message) -> None:
        """Append a message, or drop it when a FIFO queue has its duplicate."""
        journal.current().put(self.queue_arn, message)
        super().add_message(message)
        if self.fifo_queue and not any(each is message for each in self._messages):
            journal.current().remove(self.queue_arn, [message.id])

    def delete_message(self, receipt_handle: str) -> None:
        """Delete the message that was received with this handle."""
        with self._messages_lock:
            gone = [each.id for each in self._messages if each.had_receipt_handle(receipt_handle)]
            super().delete_message(receipt_handle)
        journal.current().remove(self.queue_arn, gone)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_messages": [], "_pending_messages": set(), "deleted_messages": set()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _messages=journal.current().messages(state["queue_arn"]))


class LocalSQSBackend(SQSBackend):
    """All queues of one account and region."""

    @property
    def _url_module(self) -> Any:
        return moto.sqs.urls

    def receive_message(self, queue_name: str, *arguments: Any, **options: Any) -> list[Message]:
        """Hand messages out to one receiver at a time; waiting for a message lets the others in."""
        lock: Condition = self.get_queue(queue_name)._messages_lock  # noqa: SLF001 - moto's own lock
        with lock:
            return super().receive_message(queue_name, *arguments, **options)

    def purge_queue(self, queue_name: str) -> None:
        """Delete all messages of a queue."""
        super().purge_queue(queue_name)
        journal.current().clear(self.get_queue(queue_name).queue_arn)

    def delete_queue(self, queue_name: str) -> None:
        """Delete a queue with its messages."""
        arn = self.get_queue(queue_name).queue_arn
        super().delete_queue(queue_name)
        journal.current().clear(arn)
